"""Evaluate: how good is this model on this label?"""

import streamlit as st

from dashboard.parts import engine
from dashboard.parts.all_labels import all_labels
from dashboard.parts.evaluation_answer import Judged, answer_section, label_section, show_chosen_label
from dashboard.parts.header import page_header
from dashboard.parts.model_input import dataset_input, judged_models, label_input, model_input, view_input
from dashboard.parts.navigation import go_button
from dashboard.parts.source import built_source

source = built_source()
entries = judged_models(engine.models(source.name))
if not entries:
    page_header("There is no model to judge yet", source.name, source.synthetic)
    st.info("A model can be judged once it has predictions. Train one, then press Predict on its run.")
    go_button("train", "Train a model")
    st.stop()

top = st.container()
with st.container(horizontal=True, vertical_alignment="bottom"):
    model = model_input(entries, "Model", "model")
    label_input("label", show_chosen_label)
    dataset = dataset_input(model.predictions, "dataset")
    view = view_input("judged-view")
judged = Judged(source, model, dataset, view)
with top:
    answer_section(judged)
label_section(judged)
all_labels(engine.evaluation(source.name, model.name, dataset, view))
