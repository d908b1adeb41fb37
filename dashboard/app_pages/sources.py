"""Sources: where does this come from?"""

import streamlit as st

from cxr_core.sources.registry import DEMO
from cxr_core.tasks.sources import source_reports
from dashboard.parts.header import page_header
from dashboard.parts.import_form import import_section
from dashboard.parts.prediction_form import prediction_section
from dashboard.parts.source import check_again_button
from dashboard.parts.source_report import answer, is_synthetic, places_section, report_section

top = st.container()
with st.spinner("Looking at the sources …"):
    reports = source_reports()
with top:
    chosen = st.session_state.get("source") or DEMO
    page_header(answer(reports), chosen, is_synthetic(chosen), "All views")
    check_again_button()
for report in reports:
    report_section(report)
import_section()
prediction_section()
places_section()
