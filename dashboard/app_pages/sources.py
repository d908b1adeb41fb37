"""Sources: where does this come from?"""

import streamlit as st

from cxr_core.settings import config_path, settings
from cxr_core.tasks.sources import source_reports
from dashboard.parts.header import page_header
from dashboard.parts.source import current_source
from dashboard.parts.source_report import answer, report_section

source = current_source()
top = st.container()
with st.spinner("Looking at the sources …"):
    reports = source_reports()
with top:
    page_header(answer(reports), source.name, source.synthetic, "All views")
for report in reports:
    report_section(report)
st.subheader("Where things are", anchor=False)
st.table(
    {"Workspace": f"`{settings().home}`", "Configuration": f"`{config_path()}`"},
    border="horizontal",
    width="content",
    alt="Folders of the product",
)
st.caption(
    "Everything that CXR Lab writes lies in the workspace; CXR_HOME moves it. Sources of your own are written into the "
    "configuration, as cxr.example.toml shows; it need not exist."
)
