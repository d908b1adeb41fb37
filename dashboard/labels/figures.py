"""The answer of the Labels page and its row of figures."""

import streamlit as st

from cxr_core.schema import LABELS, label_words
from cxr_core.tasks.distribution import LabelOverview
from cxr_core.words import counted
from dashboard.shared.formatting import count


def answer(overview: LabelOverview) -> str:
    """Return the title: for how many labels the reports are more often uncertain than positive."""
    if not overview.datasets:
        return "No image has this view"
    return f"Uncertain outnumbers positive in {len(overview.more_uncertain)} of {counted(len(LABELS), 'label')}"


def figures_row(overview: LabelOverview) -> None:
    """Show images, studies and patients of each data set for the view."""
    counts = overview.counts[overview.counts["view"] == (overview.view or "all")]
    rows = counts.set_index("dataset").to_dict("index")
    with st.container(horizontal=True):
        for dataset in overview.datasets:
            row = rows[dataset]
            st.metric(
                f"{label_words(dataset)} images",
                count(row["images"]),
                delta=f"{counted(row['studies'], 'study')} · {counted(row['patients'], 'patient')}",
                delta_color="off",
                delta_arrow="off",
                border=True,
                help="Images of the chosen view, the studies they belong to and the patients behind them.",
            )
    if overview.more_uncertain:
        names = ", ".join(label_words(label) for label in overview.more_uncertain)
        st.markdown(f"More often uncertain than positive in {overview.datasets[0]}: **{names}**.")
