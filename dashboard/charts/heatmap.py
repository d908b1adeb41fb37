"""Matrices with the figure written into every cell: co-occurring labels, models x labels."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from cxr_core.schema import label_words
from dashboard.charts.frame import figure, label_axis
from dashboard.charts.palette import Palette


def cooccurrence_chart(images: pd.DataFrame, value: str, colors: Palette) -> go.Figure:
    """Draw, for the images on which the row's label has `value`, the share on which the column's has it too.

    Args:
        images: square frame of image counts, labels in schema order; the diagonal holds a label's own images.
        value: the label value that was counted.
        colors: the palette of the appearance.
    """
    own = np.diag(images.to_numpy()).astype(float)
    share = np.divide(images.to_numpy(), own[:, None], out=np.full(images.shape, np.nan), where=own[:, None] > 0)
    np.fill_diagonal(share, np.nan)
    words = [label_words(label) for label in images.index]
    chart = figure(f"{value.capitalize()} in the column too, in % of the row", colors, 620)
    chart.add_heatmap(
        z=100 * share,
        x=words,
        y=words,
        customdata=np.dstack([images.to_numpy(), np.broadcast_to(own[:, None], images.shape)]),
        hovertemplate="%{y} and %{x}: %{customdata[0]:,} of %{customdata[1]:,} images (%{z:.0f} %)<extra></extra>",
        texttemplate="%{z:.0f}",
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


def model_heatmap(figures: pd.DataFrame, images: pd.DataFrame, what: str, colors: Palette) -> go.Figure:
    """Draw models (columns) x labels (rows) of AUC or AP; an undefined figure stays empty.

    Args:
        figures: labels in schema order x models, values between 0 and 1 or missing.
        images: the same shape, the number of images behind each figure.
        what: "AUC" or "AP".
        colors: the palette of the appearance.
    """
    chart = figure(f"{what} by label and model, best in bold", colors, 190 + 27 * len(figures))
    chart.add_heatmap(
        z=figures.to_numpy(dtype=float),
        x=list(figures.columns),
        y=[label_words(label) for label in figures.index],
        text=_best_in_bold(figures),
        texttemplate="%{text}",
        textfont={"color": colors.ink, "size": 12.5},
        customdata=images.to_numpy(),
        hovertemplate=f"%{{y}}<br>%{{x}}: {what} %{{z:.3f}}, n = %{{customdata:,}} images<extra></extra>",
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


def _best_in_bold(figures: pd.DataFrame) -> list[list[str]]:
    best = figures.max(axis=1)
    return [
        ["" if pd.isna(value) else f"<b>{value:.3f}</b>" if value == best[label] else f"{value:.3f}" for value in row]
        for label, row in zip(figures.index, figures.itertuples(index=False), strict=True)
    ]


def heat_scale(colors: Palette) -> list[tuple[float, str]]:
    """Return the colours of a heat map, pale for low."""
    steps: Sequence[str] = colors.sequential
    return [(place / (len(steps) - 1), color) for place, color in enumerate(steps)]
