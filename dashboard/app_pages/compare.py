"""Compare: which model, and is the difference real?"""

import streamlit as st

from cxr_core.schema import label_words
from dashboard.parts import engine
from dashboard.parts.comparison_sections import curves_section, difference_section, model_table
from dashboard.parts.ensemble_builder import ensemble_builder
from dashboard.parts.header import page_header, view_fact
from dashboard.parts.model_choice import answer, chosen_models, view_of_models
from dashboard.parts.model_input import dataset_input, judged_models
from dashboard.parts.navigation import go_button
from dashboard.parts.source import built_source

source = built_source()
entries = judged_models(engine.models(source.name))
if len(entries) < 2:
    page_header("There are not two models to compare yet", source.name, source.synthetic)
    st.info("Models can be compared once they have predictions. Train one, then press Predict on its run.")
    go_button("train", "Train a model")
    st.stop()

top = st.container()
with st.container(horizontal=True, vertical_alignment="bottom"):
    view = view_of_models(entries)
    dataset = dataset_input(
        tuple(d for d in ("valid", "test", "train") if any(d in e.predictions for e in entries)), "on"
    )
models = chosen_models([entry for entry in entries if dataset in entry.predictions], view)
results = {model: engine.evaluation(source.name, model, dataset, None) for model in models}
with top:
    page_header(answer(results), source.name, source.synthetic, view_fact(view), f"{label_words(dataset)} set")
if not models:
    st.info("Choose at least one model.")
    st.stop()

table, curves, difference, ensemble = st.tabs(
    ["All labels", "Curves of one label", "Is the difference real?", "Build an ensemble"],
    key="compare-tab",
    on_change="rerun",
    bind="query-params",
)
if table.open:
    with table:
        model_table(results)
if curves.open:
    with curves:
        curves_section(source.name, results, dataset)
if difference.open:
    with difference:
        difference_section(source.name, models, dataset)
if ensemble.open:
    with ensemble:
        ensemble_builder(source.name, models, dataset)
