"""Train: start a run that I understand."""

import streamlit as st

from dashboard.shared.header import page_header, view_fact
from dashboard.shared.model_input import listed_models
from dashboard.shared.notebook import notebook_lines, training_lines
from dashboard.shared.source import built_source
from dashboard.train.form import train_form
from dashboard.train.plan import answer, plan_or_reason, plan_section

source = built_source()
top = st.container()
left, right = st.columns([3, 2], gap="large")
with left:
    options, several = train_form(source, listed_models(source.name))
plan, reason = plan_or_reason(source.name, options, several.place)
with top:
    page_header(answer(plan, several), source.name, source.synthetic, view_fact(options.view))
with right:
    plan_section(source.name, options, several, plan, reason)
if plan is not None:
    notebook_lines(training_lines(source.name, options))
