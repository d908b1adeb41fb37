"""The tabs of the Labels page."""

import streamlit as st

from cxr_core.schema import VALUES, label_words
from cxr_core.tasks.distribution import LabelOverview, estimated_bytes, value_counts
from cxr_core.uncertainty import Policy
from dashboard.charts.details import target_chart
from dashboard.charts.frame import CONFIG
from dashboard.charts.heatmap import cooccurrence_chart
from dashboard.parts import engine, help_texts
from dashboard.parts.formatting import count, size
from dashboard.parts.policy_input import loss_formula, policy_input
from dashboard.parts.theme import colors


def count_table(overview: LabelOverview) -> None:
    """Show the images of each label and value in the first data set that is chosen here."""
    dataset = _dataset_input(overview, "table-dataset")
    images = value_counts(overview.distribution, dataset)
    total = images.sum(axis=1)
    shown = images.map(count).rename(index=label_words, columns=label_words)
    shown["Uncertain per positive"] = [
        f"{u / p:.2f}" if p else "–" for u, p in zip(images["uncertain"], images["positive"], strict=True)
    ]
    shown["Images"] = total.map(count).to_numpy()
    shown.index.name = "Label"
    st.table(shown, border="horizontal", alt=f"Images by label and value in {dataset}")


def pair_section(overview: LabelOverview) -> None:
    """Show which labels occur together."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        dataset = _dataset_input(overview, "pair-dataset")
        value = st.segmented_control(
            "Value",
            VALUES[1:],
            default="positive",
            required=True,
            format_func=label_words,
            key="pair-value",
            help="Which value both labels have. " + help_texts.UNCERTAIN,
        )
    images = engine.cooccurrence(overview.source, overview.view, value or "positive", dataset)
    chart = cooccurrence_chart(images, value or "positive", colors())
    st.plotly_chart(chart, config=CONFIG, key="pairs", alt="Share of images on which two labels occur together")


def policy_section(overview: LabelOverview) -> None:
    """Show the positive rate that the loss sees for each label under a (u, w) strategy."""
    left, right = st.columns([2, 3], gap="large")
    with left:
        dataset = _dataset_input(overview, "policy-dataset")
        policy: Policy = policy_input("preview")
        st.latex(loss_formula(policy))
        st.caption("The loss of image n and label i: t is 0 or 1 where the report is certain.")
    with right:
        chart = target_chart(overview.distribution, policy, dataset, colors())
        st.plotly_chart(chart, config=CONFIG, key="targets", alt="Positive rate that the loss sees for each label")


def query_section(overview: LabelOverview) -> None:
    """Show the SQL behind the page, and what it cost."""
    if overview.answers and overview.answers[0].bytes_billed is not None:
        st.caption(f"Asking again would read {size(estimated_bytes(overview.source, overview.view))}.")
    for asked in overview.answers:
        cost = "" if asked.bytes_billed is None else f" · {size(asked.bytes_billed)} billed"
        st.markdown(f"**{label_words(asked.question)}** · answered in {asked.seconds:.2f} s{cost}")
        st.code(asked.sql, language=None, height=320)
        if asked.parameters:
            st.caption("With " + ", ".join(f"@{name} = {value}" for name, value in asked.parameters.items()) + ".")


def _dataset_input(overview: LabelOverview, key: str) -> str:
    chosen = st.segmented_control(
        "Data set",
        overview.datasets,
        default=overview.datasets[0],
        required=True,
        format_func=label_words,
        key=key,
        help=help_texts.DATASET,
    )
    return chosen or overview.datasets[0]
