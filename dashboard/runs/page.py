"""Runs: how is it going, which was best?"""

import streamlit as st

from cxr_core.runs import service
from cxr_core.runs.network_disk import workspace_warning
from dashboard.runs.actions import run_buttons
from dashboard.runs.choice import chosen_run, compared_runs
from dashboard.runs.details import config_section, log_section
from dashboard.runs.files import files_section
from dashboard.runs.filter import run_filter
from dashboard.runs.live import live_answer, live_list, live_run, live_throughput
from dashboard.runs.notes import notes_section
from dashboard.runs.words import kind_words
from dashboard.shared.choices import tabs
from dashboard.shared.formatting import plain
from dashboard.shared.header import page_header
from dashboard.shared.navigation import go_button
from dashboard.shared.notebook import notebook_lines, run_lines
from dashboard.shared.source import current_source
from dashboard.shared.theme import narrow_screens_last

source = current_source()
runs = service.list_runs()
if not runs:
    page_header("Nothing has run yet", source.name, source.synthetic)
    st.info("Training, prediction and building the demo appear here while they work and stay afterwards.")
    go_button("train", "Train a model")
    st.stop()

live_answer(runs, source)
if warning := workspace_warning():
    st.warning(plain(warning), icon=":material/lan:")
with narrow_screens_last("runs-list"):
    wanted = run_filter(runs)
    table = st.container()
run = chosen_run(runs, [run for run in runs if wanted.keeps(run)])
with table:
    live_list(runs, wanted, run)
if run is None:
    st.stop()
heading = st.container(horizontal=True, vertical_alignment="center")
beside = compared_runs(run, runs)
live_run(run, beside)
with heading:  # Drawn last: whoever sees the button of a finished run sees its final figures too.
    st.header(f"{kind_words(run)}: {plain(run.name)}", anchor=False, width="content")
    run_buttons(run)
sections = {
    "Configuration": lambda: config_section(run, beside),
    "Throughput": lambda: live_throughput(run, beside),
    "Notes": lambda: notes_section(run, runs),
    "Log": lambda: log_section(run),
    "Files": lambda: files_section(run),
}
if run.kind != "train":
    sections.pop("Throughput")
for tab, show in zip(tabs(list(sections), "run-tab"), sections.values(), strict=True):
    if tab.open:
        with tab:
            show()
if run.kind == "train":
    notebook_lines(run_lines(run.run))
