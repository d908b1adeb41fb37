"""Compare: which model, and is the difference real?"""

from functools import partial

import streamlit as st

from cxr_core.schema import REPORT, label_words
from dashboard.compare.across import across_section
from dashboard.compare.effects import effects_section
from dashboard.compare.ensemble_builder import ensemble_builder
from dashboard.compare.judges import judges_section
from dashboard.compare.model_choice import chosen_models, view_of_models
from dashboard.compare.report_button import report_button
from dashboard.compare.sections import curves_section, difference_section, model_table
from dashboard.compare.so_far import grids_so_far
from dashboard.shared import engine, help_texts
from dashboard.shared.as_of import as_of_line
from dashboard.shared.comparison_tables import answer
from dashboard.shared.header import page_header, view_fact
from dashboard.shared.judge_input import judge_fact, judge_input
from dashboard.shared.model_input import dataset_input, figure_input, judged_models, listed_models
from dashboard.shared.navigation import go_button
from dashboard.shared.notebook import comparison_lines, notebook_lines
from dashboard.shared.pack_button import pack_button
from dashboard.shared.source import built_source

source = built_source()
entries = judged_models(listed_models(source.name))
if len(entries) < 2:
    page_header("There are not two models to compare yet", source.name, source.synthetic)
    st.info("Models can be compared once they have predictions. Train one, or predict with one that you have.")
    go_button("train", "Train a model")
    go_button("sources", "Predict with a model")
    st.stop()

top = st.container()
with st.container(horizontal=True, vertical_alignment="bottom"):
    view = view_of_models(entries)
    dataset = dataset_input(
        tuple(d for d in ("valid", "test", "train") if any(d in e.predictions for e in entries)), "on"
    )
    figure = figure_input()
    judge = judge_input(source.name)
known = [entry for entry in entries if dataset in entry.predictions]
policies = {entry.name: entry.policy_words() for entry in known}
models = chosen_models(known, view)
so_far = partial(grids_so_far, figure=figure, policies=policies)
grids = engine.model_grid(source.name, tuple(models), dataset, None, figure, judge, so_far) if models else None
with top:
    facts = (view_fact(view), f"{label_words(dataset)} set", *judge_fact(judge))
    page_header(answer(grids), source.name, source.synthetic, *facts)
    as_of_line(source.name, *models)
if grids is None:
    st.info("Choose at least one model.")
    st.stop()

ignoring = [entry.name for entry in known if entry.name in models and entry.w == 0]
EFFECTS, ENSEMBLE = "What u and w did", "Build an ensemble"
sections = {
    "All labels": partial(model_table, grids, policies),
    "Curves of one label": partial(curves_section, source.name, models, dataset, policies, judge),
    "Is the difference real?": partial(difference_section, source.name, grids, policies),
    "Two judges": partial(judges_section, source.name, grids),
    "Several sources": partial(across_section, source.name, grids),
    EFFECTS: partial(effects_section, source.name, models, ignoring, dataset),
    ENSEMBLE: partial(ensemble_builder, source.name, models, dataset, several_views=len(grids.grids) > 1),
}
shown = st.tabs(list(sections), key="compare-tab", on_change="rerun", bind="query-params")
for tab, (name, section) in zip(shown, sections.items(), strict=True):
    if tab.open:
        with tab:
            if judge != REPORT and name in (EFFECTS, ENSEMBLE):
                st.caption(help_texts.BY_THE_REPORT)
            section()
report_button(source, grids, policies)
notebook_lines(comparison_lines(source.name, models, dataset, figure, judge))
pack_button(source.name, models, dataset, None, judge)
