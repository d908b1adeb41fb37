"""Evaluate: how good is this model on this label?"""

import streamlit as st

from cxr_core.models.registry import ModelEntry
from cxr_core.schema import label_words
from cxr_core.sources.source import Source
from dashboard.parts import engine
from dashboard.parts.evaluation_details import all_labels, calibration_section
from dashboard.parts.evaluation_figures import answer, figures_row
from dashboard.parts.header import page_header
from dashboard.parts.model_input import dataset_input, judged_models, label_input, model_input, view_input
from dashboard.parts.navigation import go_button
from dashboard.parts.operating_section import operating_section
from dashboard.parts.page_frame import page_fragment
from dashboard.parts.source import built_source


@page_fragment
def judged(source: Source, entries: list[ModelEntry]) -> None:
    """Draw the page of one label of one model; choosing another redraws this part, and not what stands around it."""
    top = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        model = model_input(entries, "Model", "model")
        label = label_input("label")
        dataset = dataset_input(model.predictions, "dataset")
        view = view_input("judged-view")
    result = engine.evaluation(source.name, model.name, dataset, view)
    curves = engine.label_curves(source.name, model.name, label, dataset, view) if label in result.labels else None
    ensemble = model.name in engine.ensemble_names(source.name)
    with top:
        seen = view or model.view
        facts = [f"{label_words(seen)} view" if seen else "All views", f"{label_words(dataset)} set", model.name]
        page_header(answer(result, label), source.name, source.synthetic, *facts)
    if curves is None:
        st.info(f"{model.name} does not predict {label_words(label).lower()}. Choose another label.")
    else:
        figures_row(result.labels[label])
        operating_section(result.labels[label], curves, ensemble)
    table, calibrated = st.tabs(
        ["All labels", "Calibration"], key="evaluate-tab", on_change="rerun", bind="query-params"
    )
    if table.open:
        with table:
            all_labels(result)
    if calibrated.open and curves is not None:
        with calibrated:
            calibration_section(curves, ensemble)


source = built_source()
entries = judged_models(engine.models(source.name))
if not entries:
    page_header("There is no model to judge yet", source.name, source.synthetic)
    st.info("A model can be judged once it has predictions. Train one, then press Predict on its run.")
    go_button("train", "Train a model")
    st.stop()
judged(source, entries)
