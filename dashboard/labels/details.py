"""The tabs of the Labels page."""

import pandas as pd
import streamlit as st

from cxr_core.schema import LABELS, VALUES, label_words
from cxr_core.tasks.distribution import LabelOverview, closest_pair, positive_rates, value_counts
from cxr_core.uncertainty import Policy
from cxr_core.words import counted
from dashboard.charts.details import target_chart
from dashboard.charts.frame import CONFIG
from dashboard.charts.heatmap import cooccurrence_chart
from dashboard.labels.image_links import images_of, leads_of
from dashboard.shared import engine, help_texts
from dashboard.shared.choices import Options, pick_one
from dashboard.shared.costs import query_text
from dashboard.shared.downloads import download_table
from dashboard.shared.errors import errors_as_sentences
from dashboard.shared.formatting import count, percent
from dashboard.shared.image_links import linked
from dashboard.shared.policy_input import loss_formula, policy_input
from dashboard.shared.theme import colors

PAIR_MEASURES: dict[str, str] = {"share": "Share of the row", "count": "Images"}


def table_section(overview: LabelOverview) -> None:
    """Show the images of each label and value in one data set; the download has all data sets."""
    dataset = _dataset_input(overview, "table-dataset")
    images = value_counts(overview.distribution, dataset)
    total = images.sum(axis=1)
    shown = images.map(count).rename(index=label_words, columns=label_words)
    shown["Uncertain per positive"] = [
        f"{u / p:.2f}" if p else "–" for u, p in zip(images["uncertain"], images["positive"], strict=True)
    ]
    shown["Images"] = total.map(count).to_numpy()
    for value in VALUES:
        links = (images_of(overview, dataset, label, value) for label in images.index)
        shown[label_words(value)] = [
            linked(n, where) for n, where in zip(shown[label_words(value)], links, strict=True)
        ]
    shown.index.name = "Label"
    st.table(shown, border="horizontal", alt=f"Images by label and value in {dataset}")
    download_table(overview.distribution, f"{overview.source}-{overview.view or 'all'}-distribution.csv")


def count_section(overview: LabelOverview) -> None:
    """Show images, studies and patients of every data set and view."""
    counts = overview.counts
    words = counts[["dataset", "view"]].map(lambda name: "All views" if name == "all" else label_words(name))
    shown = counts[["images", "studies", "patients"]].map(count).rename(columns=str.capitalize)
    per_study = counts["images"] / counts["studies"].where(counts["studies"] > 0)
    per_patient = counts["studies"] / counts["patients"].where(counts["patients"] > 0)
    shown["Images per study"] = [_ratio(value) for value in per_study]
    shown["Studies per patient"] = [_ratio(value) for value in per_patient]
    shown.index = pd.Index(words["dataset"] + " · " + words["view"].str.lower(), name="Data set and view")
    st.table(shown, border="horizontal", alt="Images, studies and patients by data set and view")
    together = "A study with images of several views counts under each of them, and once under all views."
    st.caption(f"{together} {shared_words(engine.shared_patients(overview.source))}")
    download_table(counts, f"{overview.source}-counts.csv")


def shared_words(patients: int | None) -> str:
    """Return in a sentence how many patients stand in more than one data set."""
    if patients is None:
        return "Whether a patient stands in two data sets is not checked here, as BigQuery would bill it."
    if not patients:
        return "No patient stands in two data sets."
    found = counted(patients, "patient stands", "patients stand")
    return f"{found} in more than one data set: there, figures are too hopeful."


def pair_section(overview: LabelOverview) -> None:
    """Show which labels occur together."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        dataset = _dataset_input(overview, "pair-dataset")
        values = Options(VALUES[1:], "pair-value", label_words)
        value = pick_one("Value", values, "positive", "Which value both labels have. " + help_texts.UNCERTAIN)
        measures = Options(list(PAIR_MEASURES), "pair-measure", PAIR_MEASURES.__getitem__)
        measure = pick_one("Show", measures, "share", help_texts.PAIR_MEASURE)
    with errors_as_sentences(retry="pairs"):
        images = engine.cooccurrence(overview.source, overview.view, value, dataset)
        st.markdown(_closest_pair(images, value))
        chart = cooccurrence_chart(images, value, "count" if measure == "count" else "share", colors())
        st.plotly_chart(chart, config=CONFIG, key="pairs", alt="Share of images on which two labels occur together")
        table = images.rename_axis("label").reset_index()
        download_table(table, f"{overview.source}-{overview.view or 'all'}-{dataset}-{value}-together.csv")


def policy_section(overview: LabelOverview) -> None:
    """Show the positive rate that the loss sees for each label under a (u, w) strategy."""
    left, right = st.columns([2, 3], gap="large")
    with left:
        dataset = _dataset_input(overview, "policy-dataset")
        policy: Policy = policy_input("preview")
        st.latex(loss_formula(policy))
        st.caption("The loss of image n and label i: t is 0 or 1 where the report is certain.")
    certain = positive_rates(overview.distribution, 0.0, 0.0, dataset)
    seen = positive_rates(overview.distribution, policy.u, policy.w, dataset, policy.blank_u, policy.blank_w)
    with right:
        moved = (seen - certain).abs().fillna(0.0)
        if moved.max() > 0:
            label = LABELS[int(moved.to_numpy().argmax())]
            st.markdown(
                f"It moves **{label_words(label)}** most: from {percent(certain[label])} among the certain images to "
                f"{percent(seen[label])} in {dataset}."
            )
        chart = target_chart(overview.distribution, policy, dataset, colors(), leads_of(overview, dataset))
        st.plotly_chart(chart, config=CONFIG, key="targets", alt="Positive rate that the loss sees for each label")
        st.caption("A click on a point opens the uncertain images of its label.")
        rates = pd.DataFrame({"label": LABELS, "certain": certain.to_numpy(), "seen_by_the_loss": seen.to_numpy()})
        download_table(rates, f"{overview.source}-{dataset}-{policy.name}-positive-rates.csv")


def query_section(overview: LabelOverview) -> None:
    """Show the SQL behind the page, and what it cost."""
    for asked in overview.answers:
        query_text(asked, height=320)


def _closest_pair(images: pd.DataFrame, value: str) -> str:
    """Return, in words, which label has the value most often where another has it."""
    pair, words = closest_pair(images), value.replace("_", " ")
    if pair is None:
        return f"No image has two {words} labels."
    return (
        f"Of {counted(pair.images, 'image')} with {label_words(pair.label).lower()} {words}, "
        f"**{percent(pair.share)}** have {label_words(pair.other).lower()} {words} too: no pair is closer."
    )


def _ratio(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.2f}"


def _dataset_input(overview: LabelOverview, key: str) -> str:
    options = Options(overview.datasets, key, label_words, "dataset", former=(key,))
    return pick_one("Data set", options, overview.datasets[0], help_texts.DATASET)
