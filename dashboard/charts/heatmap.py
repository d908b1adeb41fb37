"""A matrix with the figure written into every cell: co-occurring labels."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

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


def heat_scale(colors: Palette) -> list[tuple[float, str]]:
    """Return the colours of a heat map, pale for low."""
    steps: Sequence[str] = colors.sequential
    return [(place / (len(steps) - 1), color) for place, color in enumerate(steps)]
