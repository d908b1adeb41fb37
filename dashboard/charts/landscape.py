"""What heads on frozen features say of a label: the AUC of each u and w, and what cannot be told from the best."""

import numpy as np
import plotly.graph_objects as go

from cxr_core.schema import label_words
from cxr_core.tasks.policies import PolicyLandscape
from cxr_core.training.head_grid import STEPS
from dashboard.charts.frame import figure, plain_axis
from dashboard.charts.heatmap import heat_scale
from dashboard.charts.palette import Palette

BEST, ALIKE = "★", "·"
#: The scale spans at least so much AUC: smaller differences shall not look like mountains.
_LEAST_SPAN = 0.03


def landscape_heatmap(found: PolicyLandscape, label: str, colors: Palette) -> go.Figure:
    """Draw the AUC of each (u, w), u to the right, w upwards: a star on the best, a dot on what is not told from it."""
    areas, best = found.roc_auc(label).T, found.best(label)
    signs = np.where(found.alike(label).T, ALIKE, "")
    if best is not None:
        signs[STEPS.index(best[1]), STEPS.index(best[0])] = BEST
    words = np.where(found.alike(label).T, "not told from the best", "below the best, beyond chance")
    top = float(areas.max())
    chart = figure(f"{label_words(label)}: AUC by u and w<br>{BEST} best, {ALIKE} not told from it", colors, 430)
    chart.add_heatmap(
        z=areas,
        x=[f"{u:g}" for u in STEPS],
        y=[f"{w:g}" for w in STEPS],
        text=signs,
        customdata=words,
        texttemplate="%{text}",
        textfont={"color": colors.ink, "size": 16},
        hovertemplate="u = %{x}, w = %{y}: AUC %{z:.3f}, %{customdata}<extra></extra>",
        colorscale=heat_scale(colors),
        zmin=min(float(areas.min()), top - _LEAST_SPAN),
        zmax=top,
        colorbar={"thickness": 10, "tickformat": ".3f", "tickfont": {"color": colors.faint}, "outlinewidth": 0},
        xgap=1,
        ygap=1,
    )
    chart.update_xaxes(plain_axis("u: target of uncertain labels", colors), type="category", showgrid=False)
    chart.update_yaxes(plain_axis("w: weight of uncertain labels", colors), type="category", showgrid=False)
    return chart
