"""The main chart of the Labels page, with its own controls."""

import pandas as pd
import streamlit as st

from cxr_core.schema import label_words
from cxr_core.tasks.distribution import LabelOverview
from dashboard.charts.distribution import SORTS, Axis, Measure, distribution_chart, sorted_labels
from dashboard.charts.frame import CONFIG
from dashboard.labels.image_links import leads_of
from dashboard.shared import engine, help_texts
from dashboard.shared.choices import Options, pick_one, select_one
from dashboard.shared.errors import errors_as_sentences
from dashboard.shared.theme import colors

UNITS = ("images", "studies", "patients")
MEASURES: dict[str, str] = {"share": "Share", "count": "Count"}
AXES: dict[str, str] = {"linear": "Linear", "log": "Log"}


def distribution_section(overview: LabelOverview) -> None:
    """Draw the distribution of one data set beside another, as it is chosen here."""
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
        unit = pick_one("Of what", Options(UNITS, "unit", str.capitalize), "images", help_texts.UNIT)
        measures = Options(list(MEASURES), "scale", lambda one: MEASURES[one])
        measure: Measure = "count" if pick_one("Show", measures, "share", help_texts.SCALE) == "count" else "share"
        axes = Options(list(AXES), "axis", lambda one: AXES[one])
        axis: Axis = "log" if pick_one("Axis", axes, "linear", help_texts.LOG_AXIS) == "log" else "linear"
        sorts = Options(list(SORTS), "sort", lambda one: SORTS[one])
        sort = select_one("Sort", sorts, next(iter(SORTS)), help_texts.SORT, width=220)
    shown = [name for name in overview.datasets if name in datasets] or list(overview.datasets[:1])
    with errors_as_sentences(retry="distribution"):
        counted = _counted(overview, unit)
        order = sorted_labels(counted, shown[0], sort)
        for dataset, column in zip(shown, st.columns(len(shown)), strict=True):
            leads = leads_of(overview, dataset)
            chart = distribution_chart(counted, dataset, order, measure, axis, colors(), leads)
            alt = f"Values of the 14 labels in {dataset}"
            column.plotly_chart(chart, config=CONFIG, key=f"distribution-{dataset}", alt=alt)
        note = " What is 0 has no place on a log axis." if axis == "log" else ""
        st.caption(f"Bold: more uncertain than positive. A click on a bar or point opens its images.{note}")


def _counted(overview: LabelOverview, unit: str) -> pd.DataFrame:
    if unit == "images":
        return overview.distribution
    return engine.unit_distribution(overview.source, overview.view, unit)
