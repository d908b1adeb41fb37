"""Evaluate: how good is this model on this label?"""

import streamlit as st

from dashboard.parts import engine
from dashboard.parts.all_labels import all_labels
from dashboard.parts.evaluation_answer import answer_section, figures_section
from dashboard.parts.header import facts_line, page_header, view_fact
from dashboard.parts.judged import Judged, show_chosen_label
from dashboard.parts.model_input import dataset_input, judged_models, label_input, model_input, view_input
from dashboard.parts.navigation import go_button
from dashboard.parts.operating_input import operating_input
from dashboard.parts.operating_section import curves_section, point_section
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
    facts = (view_fact(view or model.view), f"{dataset.capitalize()} set", model.name, model.policy_words())
    facts_line(source.name, source.synthetic, *facts)
st.caption(judged.choice_note())
figures_section(judged)
operating_input(judged)
curves_section(judged)
point_section(judged)
all_labels(judged.evaluation())
