"""How the four label values are spread over the 14 labels in one data set."""

from collections.abc import Sequence
from typing import Literal

import pandas as pd
import plotly.graph_objects as go

from cxr_core.schema import LABELS, VALUES, label_words
from cxr_core.tasks.distribution import value_counts
from dashboard.charts.frame import figure, label_axis, plain_axis
from dashboard.charts.palette import VALUE_SYMBOLS, Palette

Scale = Literal["share", "count", "log"]
AXIS_TITLES: dict[Scale, str] = {"share": "share of images (%)", "count": "images", "log": "images (log scale)"}


def sorted_labels(counts: pd.DataFrame, dataset: str, by_ratio: bool) -> list[str]:
    """Return the labels in schema order, or from the most uncertain images for each positive one to the fewest."""
    if not by_ratio:
        return list(LABELS)
    images = value_counts(counts, dataset)
    ratio = images["uncertain"] / images["positive"].clip(lower=1)
    return list(ratio.sort_values(ascending=False, kind="stable").index)


def distribution_chart(
    counts: pd.DataFrame, dataset: str, labels: Sequence[str], scale: Scale, colors: Palette
) -> go.Figure:
    """Draw stacked shares, or counts as points on a linear or log axis.

    Args:
        counts: `label, value, dataset, images`, as the warehouse gives it.
        dataset: the data set.
        labels: the rows, top to bottom.
        scale: what the horizontal axis shows.
        colors: the palette of the appearance.
    """
    images = value_counts(counts, dataset).loc[list(labels)]
    total = images.sum(axis=1)
    what = "Share" if scale == "share" else "Number"
    title = f"{label_words(dataset)}: {what.lower()} of images (n = {int(total.max()):,})"
    chart = figure(title, colors, height=610)
    share = images.div(total.clip(lower=1), axis=0) * 100
    build = _bar if scale == "share" else _points
    chart.add_traces([build(images[value], share[value], value, dataset, colors) for value in VALUES])
    chart.update_layout(barmode="stack", bargap=0.28, margin={"l": 8, "r": 16, "t": 108, "b": 56})
    chart.update_layout(legend={"traceorder": "normal"})
    chart.update_xaxes(plain_axis(AXIS_TITLES[scale], colors), **_range(scale))
    chart.update_yaxes(label_axis(colors), showgrid=scale != "share")
    return chart


def _shared(images: pd.Series, share: pd.Series, value: str, dataset: str) -> dict[str, object]:
    return {
        "y": [label_words(label) for label in images.index],
        "name": label_words(value),
        "customdata": list(zip(images, share, strict=True)),
        "hovertemplate": f"%{{y}}<br>{label_words(value)} in {dataset}: %{{customdata[0]:,}} images"
        " (%{customdata[1]:.1f} %)<extra></extra>",
    }


def _bar(images: pd.Series, share: pd.Series, value: str, dataset: str, colors: Palette) -> go.Bar:
    shared = _shared(images, share, value, dataset)
    return go.Bar(x=list(share), orientation="h", marker=_bar_marker(value, colors), **shared)


def _points(images: pd.Series, share: pd.Series, value: str, dataset: str, colors: Palette) -> go.Scatter:
    marker = {"color": colors.values[value], "symbol": VALUE_SYMBOLS[value], "size": 10}
    return go.Scatter(x=list(images), mode="markers", marker=marker, **_shared(images, share, value, dataset))


def _bar_marker(value: str, colors: Palette) -> dict[str, object]:
    if value == "not_mentioned":
        return {"color": colors.quiet, "line": {"color": colors.values[value], "width": 1}}
    return {"color": colors.values[value], "line": {"color": colors.background, "width": 1}}


def _range(scale: Scale) -> dict[str, object]:
    if scale == "share":
        return {"range": [0, 100], "tickvals": [0, 50, 100]}
    return {"type": "log", "dtick": 1} if scale == "log" else {"rangemode": "tozero", "tickformat": ","}
