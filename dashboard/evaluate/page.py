"""Evaluate: how good is this model on this label?"""

import streamlit as st

from dashboard.evaluate.answer import label_part
from dashboard.evaluate.judged import forget_judged, judged_in_full
from dashboard.evaluate.whole_model import whole_model
from dashboard.shared.header import page_header
from dashboard.shared.model_input import judged_models, listed_models
from dashboard.shared.navigation import go_button
from dashboard.shared.source import built_source

source = built_source()
entries = judged_models(listed_models(source.name))
if not entries:
    page_header("There is no model to judge yet", source.name, source.synthetic)
    st.info("A model can be judged once it has predictions. Train one, or predict with one that you have.")
    go_button("train", "Train a model")
    go_button("sources", "Predict with a model")
    st.stop()

forget_judged()
label_part(source, entries)
judged = judged_in_full()
if judged is None:
    st.stop()
whole_model(judged)
judged.curves_ahead()
