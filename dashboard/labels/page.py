"""Labels: what is in this data?"""

import streamlit as st

from cxr_core.schema import VIEWS, label_words
from dashboard.labels.details import count_section, pair_section, policy_section, query_section, table_section
from dashboard.labels.distribution import distribution_section
from dashboard.labels.figures import answer, figures_row
from dashboard.labels.meaning import meaning_section
from dashboard.shared import engine, help_texts
from dashboard.shared.as_of import as_of_line
from dashboard.shared.choices import Options, pick_one, tabs
from dashboard.shared.header import page_header, view_fact
from dashboard.shared.notebook import distribution_lines, notebook_lines
from dashboard.shared.preferred import view_to_begin_with
from dashboard.shared.source import built_source

source = built_source()
top = st.container()
usual, pinned = view_to_begin_with(VIEWS, "frontal")
view = pick_one("View", Options(VIEWS, "view", label_words, pinned=pinned), usual, help_texts.VIEW)
overview = engine.label_overview(source.name, view)
with top:
    page_header(answer(overview), source.name, source.synthetic, view_fact(view))
    as_of_line(source.name)
figures_row(overview)
if overview.datasets:
    distribution_section(overview)
table, meaning, counts, pairs, policy, query = tabs(
    [
        "Table",
        "What they mean",
        "Studies and patients",
        "Labels that occur together",
        "What u and w do",
        "SQL and cost",
    ],
    "labels-tab",
)
sections = (
    (table, table_section),
    (meaning, meaning_section),
    (counts, count_section),
    (pairs, pair_section),
    (policy, policy_section),
    (query, query_section),
)
for tab, section in sections:
    if tab.open:
        with tab:
            section(overview)
notebook_lines(distribution_lines(source.name, view))
