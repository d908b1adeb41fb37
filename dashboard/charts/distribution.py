"""How the four label values are spread over the 14 labels in one data set."""

from collections.abc import Sequence
from typing import Literal

import pandas as pd
import plotly.graph_objects as go

from cxr_core.schema import LABELS, VALUES, label_words
from cxr_core.tasks.distribution import uncertain_outnumbers_positive, value_counts
from dashboard.charts.frame import Leads, figure, label_axis, plain_axis
from dashboard.charts.palette import VALUE_SYMBOLS, Palette

Measure = Literal["share", "count"]
Axis = Literal["linear", "log"]
#: In which order the labels stand, and how it is called.
SORTS = {
    "fixed": "Fixed order",
    "name": "Name",
    "uncertain": "Most uncertain",
    "positive": "Most positive",
    "ratio": "Uncertain per positive",
}


def sorted_labels(counts: pd.DataFrame, dataset: str, sort: str) -> list[str]:
    """Return the labels in one of the orders of `SORTS`, equal ones as in the schema."""
    images = value_counts(counts, dataset)
    if sort == "name":
        return sorted(LABELS, key=label_words)
    if sort in ("uncertain", "positive"):
        return list(images[sort].sort_values(ascending=False, kind="stable").index)
    if sort == "ratio":
        ratio = images["uncertain"] / images["positive"].clip(lower=1)
        return list(ratio.sort_values(ascending=False, kind="stable").index)
    return list(LABELS)


def distribution_chart(
    counts: pd.DataFrame,
    dataset: str,
    labels: Sequence[str],
    measure: Measure,
    axis: Axis,
    colors: Palette,
    leads: Leads | None = None,
) -> go.Figure:
    """Draw shares as stacked bars, or (counts, and whatever has a log axis) as points.

    Labels with more uncertain than positive are in bold.

    Args:
        counts: `label, value, dataset` and what was counted (images, studies or patients), as the warehouse gives it.
        dataset: the data set.
        labels: the rows, top to bottom.
        measure: share of the label's images, or their number.
        axis: of the horizontal axis; nothing that is 0 can stand on a log axis.
        colors: the palette of the appearance.
        leads: the address that a click leads to; None for none.
    """
    images = value_counts(counts, dataset).loc[list(labels)]
    total, unit = images.sum(axis=1), counts.columns[-1]
    what = f"Share of {unit}" if measure == "share" else unit.capitalize()
    chart = figure(f"{label_words(dataset)}: {what.lower()} (n = {int(total.max()):,})", colors, height=610)
    share = images.div(total.clip(lower=1), axis=0) * 100
    build = _bar if (measure, axis) == ("share", "linear") else _points
    drawn = share if measure == "share" else images
    chart.add_traces([build(drawn[v], _hover(images[v], share[v], dataset, unit, leads), v, colors) for v in VALUES])
    chart.update_layout(barmode="stack", bargap=0.28, margin={"l": 8, "r": 16, "t": 108, "b": 56})
    chart.update_layout(legend={"traceorder": "normal"})
    chart.update_xaxes(plain_axis(_axis_title(measure, axis, unit), colors), **_range(measure, axis))
    more = uncertain_outnumbers_positive(counts, dataset)
    words = [label_words(label) for label in labels]
    names = [f"<b>{word}</b>" if label in more else word for label, word in zip(labels, words, strict=True)]
    grid = build is _points
    chart.update_yaxes(label_axis(colors), showgrid=grid, tickmode="array", tickvals=words, ticktext=names)
    return chart


def _hover(images: pd.Series, share: pd.Series, dataset: str, unit: str, leads: Leads | None) -> dict[str, object]:
    value = str(images.name)
    addresses = [leads(str(label), value) if leads and n > 0 else "" for label, n in images.items()]
    return {
        "y": [label_words(label) for label in images.index],
        "name": label_words(value),
        "customdata": list(zip(images, share, addresses, strict=True)),
        "hovertemplate": f"%{{y}}<br>{label_words(value)} in {dataset}: %{{customdata[0]:,}} {unit}"
        " (%{customdata[1]:.1f} %)<extra></extra>",
    }


def _bar(drawn: pd.Series, hover: dict[str, object], value: str, colors: Palette) -> go.Bar:
    return go.Bar(x=list(drawn), orientation="h", marker=_bar_marker(value, colors), **hover)


def _points(drawn: pd.Series, hover: dict[str, object], value: str, colors: Palette) -> go.Scatter:
    marker = {"color": colors.values[value], "symbol": VALUE_SYMBOLS[value], "size": 10}
    return go.Scatter(x=list(drawn), mode="markers", marker=marker, **hover)


def _bar_marker(value: str, colors: Palette) -> dict[str, object]:
    if value == "not_mentioned":
        return {"color": colors.quiet, "line": {"color": colors.values[value], "width": 1}}
    return {"color": colors.values[value], "line": {"color": colors.background, "width": 1}}


def _axis_title(measure: Measure, axis: Axis, unit: str) -> str:
    words = f"share of {unit} (%)" if measure == "share" else unit
    return words if axis == "linear" else f"{words}, log scale"


def _range(measure: Measure, axis: Axis) -> dict[str, object]:
    if axis == "log":
        return {"type": "log", "dtick": 1}
    if measure == "share":
        return {"range": [0, 100], "tickvals": [0, 50, 100]}
    return {"rangemode": "tozero", "tickformat": ","}
