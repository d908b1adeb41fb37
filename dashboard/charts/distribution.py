"""How the four label values are spread over the 14 labels, data set beside data set."""

from collections.abc import Sequence
from typing import Literal

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cxr_core.schema import LABELS, VALUES, label_words
from cxr_core.tasks.distribution import value_counts
from dashboard.charts.frame import figure, label_axis, plain_axis
from dashboard.charts.palette import VALUE_SYMBOLS, Palette

Scale = Literal["share", "count", "log"]
TITLES = {
    "share": "What the reports say of each finding: share of images",
    "count": "What the reports say of each finding: number of images",
    "log": "What the reports say of each finding: number of images on a log scale",
}
AXIS_TITLES = {"share": "share of images (%)", "count": "images", "log": "images (log scale)"}


def sorted_labels(counts: pd.DataFrame, dataset: str, by_ratio: bool) -> list[str]:
    """Return the labels in schema order, or from the most uncertain images for each positive one to the fewest."""
    if not by_ratio:
        return list(LABELS)
    images = value_counts(counts, dataset)
    ratio = images["uncertain"] / images["positive"].clip(lower=1)
    return list(ratio.sort_values(ascending=False, kind="stable").index)


def distribution_chart(
    counts: pd.DataFrame, datasets: Sequence[str], labels: Sequence[str], scale: Scale, colors: Palette
) -> go.Figure:
    """Draw one panel for each data set: stacked shares, or counts as points on a linear or log axis.

    Args:
        counts: `label, value, dataset, images`, as the warehouse gives it.
        datasets: the panels, left to right.
        labels: the rows, top to bottom.
        scale: what the horizontal axis shows.
        colors: the palette of the appearance.
    """
    images = {dataset: int(value_counts(counts, dataset).iloc[0].sum()) for dataset in datasets}
    titles = [f"{label_words(dataset)} · {images[dataset]:,} images" for dataset in datasets]
    chart = make_subplots(1, len(datasets), shared_yaxes=True, horizontal_spacing=0.04, subplot_titles=titles)
    chart.update_layout(figure(TITLES[scale], colors, height=620).layout)
    for column, dataset in enumerate(datasets, start=1):
        for trace in _traces(value_counts(counts, dataset).loc[list(labels)], dataset, scale, colors, column == 1):
            chart.add_trace(trace, row=1, col=column)
    chart.update_layout(barmode="stack", bargap=0.28, margin={"l": 8, "r": 16, "t": 116, "b": 56})
    chart.update_layout(legend={"y": 1.07, "traceorder": "normal"})
    chart.update_xaxes(plain_axis(AXIS_TITLES[scale], colors), **_range(scale))
    chart.update_yaxes(label_axis(colors), showgrid=scale != "share")
    chart.update_annotations(font={"size": 13, "color": colors.faint}, yshift=2)
    return chart


def _traces(
    table: pd.DataFrame, dataset: str, scale: Scale, colors: Palette, legend: bool
) -> list[go.Bar] | list[go.Scatter]:
    share = table.div(table.sum(axis=1).clip(lower=1), axis=0) * 100
    build = _bar if scale == "share" else _points
    return [build(table[value], share[value], value, dataset, colors, legend) for value in VALUES]


def _shared(images: pd.Series, share: pd.Series, value: str, dataset: str, legend: bool) -> dict[str, object]:
    return {
        "y": [label_words(label) for label in images.index],
        "name": label_words(value),
        "legendgroup": value,
        "showlegend": legend,
        "customdata": list(zip(images, share, strict=True)),
        "hovertemplate": f"%{{y}}<br>{label_words(value)} in {dataset}: %{{customdata[0]:,}} images"
        " (%{customdata[1]:.1f} %)<extra></extra>",
    }


def _bar(images: pd.Series, share: pd.Series, value: str, dataset: str, colors: Palette, legend: bool) -> go.Bar:
    return go.Bar(
        x=list(share),
        orientation="h",
        marker=_bar_marker(value, colors),
        **_shared(images, share, value, dataset, legend),
    )


def _bar_marker(value: str, colors: Palette) -> dict[str, object]:
    if value == "not_mentioned":
        return {"color": colors.quiet, "line": {"color": colors.values[value], "width": 1}}
    return {"color": colors.values[value], "line": {"color": colors.background, "width": 1}}


def _points(images: pd.Series, share: pd.Series, value: str, dataset: str, colors: Palette, legend: bool) -> go.Scatter:
    return go.Scatter(
        x=list(images),
        mode="markers",
        marker={"color": colors.values[value], "symbol": VALUE_SYMBOLS[value], "size": 10},
        **_shared(images, share, value, dataset, legend),
    )


def _range(scale: Scale) -> dict[str, object]:
    if scale == "share":
        return {"range": [0, 100], "tickvals": [0, 25, 50, 75, 100]}
    return {"type": "log", "dtick": 1} if scale == "log" else {"rangemode": "tozero", "tickformat": ","}
