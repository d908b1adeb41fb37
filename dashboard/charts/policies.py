"""What (u, w) did: the AUC over the grid of a sweep, and the way that a learned policy took."""

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd
import plotly.graph_objects as go

from cxr_core.arrays import IntArray
from cxr_core.runs.columns import MetricColumns
from cxr_core.schema import LABELS, label_words
from dashboard.charts.frame import figure, plain_axis
from dashboard.charts.heatmap import heat_scale
from dashboard.charts.palette import Palette
from dashboard.charts.thinning import kept_places

#: Points of each of the 28 lines of a learned policy.
_MOST_POINTS = 60


def sweep_heatmap(
    cells: Mapping[tuple[float, float], tuple[float | None, float | None, int]], what: str, colors: Palette
) -> go.Figure:
    """Draw the validation AUC of each (u, w) of a sweep, u to the right, w upwards, the best in bold.

    Args:
        cells: (u, w) -> mean, standard deviation over seeds (None for one seed) and number of trainings; a mean of
            None stays empty.
        what: what the AUC is of, as in "Edema".
        colors: the palette of the appearance.
    """
    us, ws = sorted({u for u, _ in cells}), sorted({w for _, w in cells})
    mean = np.array([[_number(cells, u, w) for u in us] for w in ws])
    best = np.nanmax(mean) if np.isfinite(mean).any() else np.nan
    texts = [[_cell_text(cells.get((u, w), (None, None, 0)), best) for u in us] for w in ws]
    chart = figure(f"{what}: validation AUC of the best epoch<br>by u and w, best in bold", colors, 160 + 56 * len(ws))
    chart.add_heatmap(
        z=mean,
        x=[f"{u:g}" for u in us],
        y=[f"{w:g}" for w in ws],
        text=texts,
        texttemplate="%{text}",
        textfont={"color": colors.ink, "size": 13},
        hovertemplate="u = %{x}, w = %{y}: AUC %{z:.3f}<extra></extra>",
        colorscale=heat_scale(colors),
        showscale=False,
        xgap=2,
        ygap=2,
        hoverongaps=False,
    )
    chart.update_xaxes(plain_axis("u: target of uncertain labels", colors), type="category", showgrid=False)
    chart.update_yaxes(plain_axis("w: weight of uncertain labels", colors), type="category", showgrid=False)
    return chart


def _number(cells: Mapping[tuple[float, float], tuple[float | None, float | None, int]], u: float, w: float) -> float:
    mean = cells.get((u, w), (None, None, 0))[0]
    return np.nan if mean is None else mean


def _cell_text(cell: tuple[float | None, float | None, int], best: float) -> str:
    mean, sd, n = cell
    if mean is None:
        return ""
    spread = "" if sd is None else f" ± {sd:.3f}<br>n = {n}"
    return f"<b>{mean:.3f}</b>{spread}" if mean == best else f"{mean:.3f}{spread}"


def policy_points(metrics: MetricColumns) -> pd.DataFrame:
    """Return `label, part, x, y` of the u and w that training learned, by step; empty where it learned none.

    Args:
        metrics: rows with `u` and `w`, 14 numbers each, in the order of the labels.
    """
    parts = [
        _line(metrics, f"{letter}.{place}", label_words(label), letter)
        for letter in ("u", "w")
        for place, label in enumerate(LABELS)
        if f"{letter}.{place}" in metrics.columns
    ]
    points = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["label", "part", "x", "y"])
    return points.astype({"label": "category", "part": "category"})


def _line(metrics: MetricColumns, column: str, label: str, letter: str) -> pd.DataFrame:
    places: IntArray = metrics.measured(column)
    kept = places[kept_places(metrics.column(column)[places], _MOST_POINTS)]
    return pd.DataFrame(
        {"label": label, "part": letter, "x": metrics.column("step")[kept], "y": metrics.column(column)[kept]}
    )


def policy_chart(points: pd.DataFrame, colors: Palette) -> alt.FacetChart:
    """Draw for each label how u (line) and w (dashed) moved while the policy was learned.

    Args:
        points: from `policy_points`.
        colors: the palette of the appearance.
    """
    order: Sequence[str] = [label_words(label) for label in LABELS]
    line = (
        alt.Chart(points)
        .mark_line(strokeWidth=2, color=colors.models[0])
        .encode(
            x=alt.X("x:Q", title="step", axis=alt.Axis(grid=False, format=",d", tickCount=3)),
            y=alt.Y("y:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(values=[0, 0.5, 1])),
            color=alt.Color(
                "part:N", scale=alt.Scale(domain=["u", "w"], range=list(colors.models[:2])), title=None, legend=None
            ),
            strokeDash=alt.StrokeDash(
                "part:N", scale=alt.Scale(domain=["u", "w"], range=[[1, 0], [5, 3]]), title=None, legend=None
            ),
            tooltip=[
                alt.Tooltip("label:N", title="label"),
                alt.Tooltip("part:N", title="number"),
                alt.Tooltip("x:Q", title="step", format=",d"),
                alt.Tooltip("y:Q", title="value", format=".3f"),
            ],
        )
        .properties(width=150, height=80)
    )
    return (
        line.facet(
            alt.Facet("label:N", sort=order, title=None, header=alt.Header(labelColor=colors.ink, labelFontSize=12)),
            columns=5,
        )
        .properties(title="Learned policy: u (line) and w (dashed) of each label, by step")
        .configure_axis(labelColor=colors.faint, titleColor=colors.faint, gridColor=colors.grid)
    )
