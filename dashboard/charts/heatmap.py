"""Matrices with the figure written into every cell: co-occurring labels, models x labels."""

import html
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from cxr_core.evaluation.grid import BEST, MEAN, Grid, GridCell
from cxr_core.schema import label_words
from cxr_core.tasks.distribution import conditional_shares
from dashboard.charts.frame import figure, label_axis
from dashboard.charts.palette import Palette

FIGURE_WORDS = {"roc_auc": "AUC", "average_precision": "AP"}


def cooccurrence_chart(
    images: pd.DataFrame, value: str, measure: Literal["share", "count"], colors: Palette
) -> go.Figure:
    """Draw, for the images on which the row's label has `value`, on how many the column's has it too.

    Args:
        images: square frame of image counts, labels in schema order; the diagonal holds a label's own images.
        value: the label value that was counted.
        measure: the share of the row's images (a conditional probability), or the number of images.
        colors: the palette of the appearance.
    """
    own = np.diag(images.to_numpy()).astype(float)
    share = conditional_shares(images).to_numpy()
    words = [label_words(label) for label in images.index]
    conditional = measure == "share"
    what = "in the column too, in % of the row" if conditional else "in row and column, images"
    chart = figure(f"{label_words(value)} {what}", colors, 620)
    chart.add_heatmap(
        z=100 * share if conditional else images.to_numpy(),
        x=words,
        y=words,
        customdata=np.dstack([images.to_numpy(), np.broadcast_to(own[:, None], images.shape)]),
        hovertemplate="%{y} and %{x}: %{customdata[0]:,} of %{customdata[1]:,} images"
        f"{' (%{z:.1f} %)' if conditional else ''}<extra></extra>",
        texttemplate="%{z:.0f}" if conditional else "%{z:.3~s}",
        colorscale=heat_scale(colors),
        zmin=0,
        showscale=False,
        xgap=1,
        ygap=1,
        hoverongaps=False,
    )
    chart.update_layout(margin={"l": 8, "r": 8, "t": 48, "b": 8})
    chart.update_xaxes(tickangle=-45, automargin=True, showgrid=False, tickfont={"color": colors.ink})
    chart.update_yaxes(label_axis(colors), showgrid=False)
    return chart


def model_heatmap(grid: Grid, colors: Palette) -> go.Figure:
    """Draw models (columns) x labels (rows), the mean last; the best of a row and those not told from it are marked.

    They are bold with a dot; an undefined figure stays empty.
    """
    what = FIGURE_WORDS[grid.figure]
    rows = [[cells[model] for model in grid.models] for cells in grid.cells.values()]
    chart = figure(f"{what} · ● best, or not told from it", colors, 190 + 27 * len(rows))
    chart.add_heatmap(
        z=[[cell.value for cell in row] for row in rows],
        x=[html.escape(model) for model in grid.models],
        y=["Mean" if label == MEAN else label_words(label) for label in grid.cells],
        text=[[_cell_text(cell) for cell in row] for row in rows],
        texttemplate="%{text}",
        textfont={"color": colors.ink, "size": 12.5},
        customdata=[[_cell_words(cell) for cell in row] for row in rows],
        hovertemplate=f"%{{y}}<br>%{{x}}: {what} %{{z:.3f}}%{{customdata}}<extra></extra>",
        colorscale=heat_scale(colors),
        zmin=0.5 if what == "AUC" else 0,
        zmax=1,
        showscale=False,
        xgap=2,
        ygap=2,
        hoverongaps=False,
    )
    chart.update_layout(margin={"l": 8, "r": 8, "t": 48, "b": 8})
    chart.update_xaxes(side="bottom", tickangle=-30, automargin=True, showgrid=False, tickfont={"color": colors.ink})
    chart.update_yaxes(label_axis(colors), showgrid=False)
    return chart


def _cell_text(cell: GridCell) -> str:
    if cell.value is None:
        return ""
    return f"<b>● {cell.value:.3f}</b>" if cell.among_the_best else f"{cell.value:.3f}"


def _cell_words(cell: GridCell) -> str:
    """Return what the hover says beneath the figure."""
    words = [f"95 % interval {cell.ci[0]:.3f} to {cell.ci[1]:.3f}"] if cell.ci else []
    if cell.label != MEAN:
        words.append(f"n = {cell.n:,} images, {cell.n_positive:,} positive")
    if cell.mark == BEST:
        words.append("the best")
    elif cell.difference is not None and cell.p_corrected is not None:
        words.append(f"{cell.difference:.3f} below the best, corrected p {cell.p_corrected:.3f}")
    elif cell.why:
        words.append(html.escape(cell.why))
    return "".join(f"<br>{line}" for line in words)


def heat_scale(colors: Palette) -> list[tuple[float, str]]:
    """Return the colours of a heat map, pale for low."""
    steps: Sequence[str] = colors.sequential
    return [(place / (len(steps) - 1), color) for place, color in enumerate(steps)]
