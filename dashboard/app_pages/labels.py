"""Labels: what is in this data?"""

import streamlit as st

from cxr_core.schema import VIEWS, label_words
from cxr_core.tasks.distribution import LabelOverview
from dashboard.charts.distribution import Scale, distribution_chart, sorted_labels
from dashboard.charts.frame import CONFIG
from dashboard.parts import engine, help_texts
from dashboard.parts.downloads import download_table
from dashboard.parts.header import page_header, view_fact
from dashboard.parts.label_details import count_table, pair_section, policy_section, query_section
from dashboard.parts.label_figures import answer, figures_row
from dashboard.parts.source import built_source
from dashboard.parts.theme import colors

SCALES: dict[Scale, str] = {"share": "Share", "count": "Count", "log": "Count, log scale"}
SORTS = {"fixed": "Fixed order", "uncertain": "Uncertain per positive"}


def distribution(overview: LabelOverview) -> None:
    """Draw the distribution with its own controls."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        datasets = st.pills(
            "Data sets",
            overview.datasets,
            selection_mode="multi",
            default=[name for name in ("train", "valid") if name in overview.datasets],
            format_func=label_words,
            key="datasets",
            bind="query-params",
            help=help_texts.DATASET,
        )
        scale = st.segmented_control(
            "Scale",
            SCALES,
            default="share",
            required=True,
            format_func=SCALES.__getitem__,
            key="scale",
            bind="query-params",
            help=help_texts.SCALE,
        )
        sort = st.segmented_control(
            "Sort",
            SORTS,
            default="fixed",
            required=True,
            format_func=SORTS.__getitem__,
            key="sort",
            bind="query-params",
            help=help_texts.SORT,
        )
    shown = [name for name in overview.datasets if name in datasets] or list(overview.datasets[:1])
    order = sorted_labels(overview.distribution, shown[0], by_ratio=sort == "uncertain")
    for dataset, column in zip(shown, st.columns(len(shown)), strict=True):
        chart = distribution_chart(overview.distribution, dataset, order, scale or "share", colors())
        alt = f"Values of the 14 labels in {dataset}"
        column.plotly_chart(chart, config=CONFIG, key=f"distribution-{dataset}", alt=alt)


source = built_source()
top = st.container()
view = st.segmented_control(
    "View",
    VIEWS,
    default="frontal",
    required=True,
    format_func=label_words,
    key="view",
    bind="query-params",
    help=help_texts.VIEW,
)
overview = engine.label_overview(source.name, view)
with top:
    page_header(answer(overview), source.name, source.synthetic, view_fact(view))
figures_row(overview)
distribution(overview)
table, pairs, policy, query = st.tabs(
    ["Table", "Labels that occur together", "What u and w do", "SQL"],
    key="labels-tab",
    on_change="rerun",
    bind="query-params",
)
if table.open:
    with table:
        count_table(overview)
        download_table(overview.distribution, f"{source.name}-{view}-distribution.csv")
if pairs.open:
    with pairs:
        pair_section(overview)
if policy.open:
    with policy:
        policy_section(overview)
if query.open:
    with query:
        query_section(overview)
