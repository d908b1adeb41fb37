"""Sources: where does this come from?"""

import streamlit as st

from cxr_core.sources.registry import DEMO
from cxr_core.tasks.sources import source_reports
from dashboard.shared.header import page_header
from dashboard.shared.notebook import notebook_lines, source_lines
from dashboard.shared.source import check_again_button
from dashboard.sources.import_form import import_section
from dashboard.sources.journal import journal_section
from dashboard.sources.listing import answer, is_synthetic, places_section, report_section
from dashboard.sources.place_list import runs_section
from dashboard.sources.prediction_form import prediction_section
from dashboard.sources.preferences import preferences_section

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
runs_section(chosen)
journal_section()
preferences_section()
places_section()
notebook_lines(source_lines(chosen))
