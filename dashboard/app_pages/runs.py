"""Runs: how is it going, which was best?"""

import streamlit as st

from cxr_core.runs import service
from dashboard.parts.header import page_header
from dashboard.parts.navigation import go_button
from dashboard.parts.run_actions import run_buttons
from dashboard.parts.run_choice import chosen_run, compared_runs
from dashboard.parts.run_details import config_section, log_section
from dashboard.parts.run_files import files_section
from dashboard.parts.run_live import live_list, live_run, live_throughput
from dashboard.parts.run_words import kind_words
from dashboard.parts.source import current_source

source = current_source()
runs = service.list_runs()
if not runs:
    page_header("Nothing has run yet", source.name, source.synthetic)
    st.info("Training, prediction and building the demo appear here while they work and stay afterwards.")
    go_button("train", "Train a model")
    st.stop()

top = st.container()
run = chosen_run(runs)
with top:
    live_list(runs, run, source)
heading = st.container(horizontal=True, vertical_alignment="center")
beside = compared_runs(run, runs)
live_run(run, beside)
with heading:  # Drawn last: whoever sees the button of a finished run sees its final figures too.
    st.subheader(f"{kind_words(run)}: {run.name}", anchor=False, width="content")
    run_buttons(run)
names = ["Configuration", *(["Throughput"] if run.kind == "train" else []), "Log", "Files"]
tabs = dict(zip(names, st.tabs(names, key="run-tab", bind="query-params", on_change="rerun"), strict=True))
sections = {
    "Configuration": lambda: config_section(run),
    "Throughput": lambda: live_throughput(run, beside),
    "Log": lambda: log_section(run),
    "Files": lambda: files_section(run),
}
for name, tab in tabs.items():
    if tab.open:
        with tab:
            sections[name]()
