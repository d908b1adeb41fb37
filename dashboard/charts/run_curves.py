"""How training runs went, several over one another: losses, validation AUC, throughput.

Altair charts, not Plotly ones: they are redrawn in place while a run writes, where Plotly would flicker and forget the
zoom. Colour tells the run, the dash tells training from validation.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import altair as alt
import numpy as np
import pandas as pd

from cxr_core.arrays import BoolArray, FloatArray
from cxr_core.runs.columns import MetricColumns
from dashboard.charts.color_difference import color_difference
from dashboard.charts.palette import Palette, model_style
from dashboard.charts.run_figures import FIRST_STAGE, MEASURED, TRAINING, VALIDATION, Figure
from dashboard.charts.thinning import kept_places

Axis = Literal["step", "epoch", "minutes"]
AXES: tuple[Axis, ...] = ("step", "epoch", "minutes")
AXIS_TITLES = {"step": "step", "epoch": "epoch", "minutes": "minutes since the start"}

#: Points of a large and of a small chart that reach the browser, over all its runs: it draws 1,000 and 500 pixels.
MOST_POINTS, FEWER_POINTS = 1200, 500
#: Marks on one line: a mark is an element of the page, a point of a line is not.
MOST_MARKS = 40
#: Two colours of one chart are at least so far apart (`color_difference`).
CLEARLY_APART = 25.0
#: Runs that one chart can tell apart: as many as there are colours.
MOST_RUNS = 7

#: The marks of the runs, in their order, and the characters that look like them.
SHAPES = {
    "circle": "●",
    "square": "■",
    "triangle-up": "▲",
    "diamond": "◆",
    "cross": "✚",
    "triangle-down": "▼",
    "triangle-left": "◀",
}


@dataclass(frozen=True)
class DrawnRun:
    """A run as a chart shows it.

    Attributes:
        name: what the legend says; no two runs of a chart share one.
        metrics: its rows.
        steps_per_epoch: how many steps make an epoch.
    """

    name: str
    metrics: MetricColumns
    steps_per_epoch: float


def run_points(
    runs: list[DrawnRun], figure: Figure, axis: Axis, smoothing: float = 0.0, most: int = MOST_POINTS
) -> pd.DataFrame:
    """Return `run, part, x, y, best, marked` of the runs' rows, at most about `most`, ready for `curves_chart`.

    Training figures are smoothed, and stay as measured in a part of their own; all are thinned so that no peak and not
    the last value is lost. Validation figures are never smoothed; the best epoch of a run, by validation AUC, stays.

    Args:
        runs: what to draw.
        figure: which columns.
        axis: what `x` counts.
        smoothing: see `smoothed`; for training figures only.
        most: points over all runs.
    """
    drawn = {
        part: column
        for part, column in figure.parts.items()
        if part not in FIRST_STAGE or any(run.metrics.measured(column).size for run in runs)
    }
    if smoothing > 0 and TRAINING in drawn:
        drawn = {MEASURED: drawn[TRAINING]} | drawn
    each = max(8, most // max(1, len(runs) * len(drawn)))
    parts = [
        _part_points(run, part, column, axis, smoothing if part in (TRAINING, FIRST_STAGE[0]) else 0.0, each)
        for run in runs
        for part, column in drawn.items()
    ]
    none = pd.DataFrame(columns=["run", "part", "x", "y", "best", "marked"])
    points = pd.concat(parts, ignore_index=True) if parts else none
    return points.astype({"run": "category", "part": "category"})


def _part_points(run: DrawnRun, part: str, column: str, axis: Axis, smoothing: float, most: int) -> pd.DataFrame:
    metrics, x = run.metrics, _x(run, axis)
    places = metrics.measured(column)
    places = places[np.isfinite(x[places])]
    y = smoothed(metrics.column(column)[places], smoothing)
    best = np.zeros(len(places), bool)
    if part == VALIDATION:
        best = places == metrics.best("val_auc")
    kept = np.union1d(kept_places(y, most), np.flatnonzero(best))
    columns = {"x": x[places][kept], "y": y[kept], "best": best[kept], "marked": _marked(len(kept), part)}
    return pd.DataFrame({"run": run.name, "part": part} | columns)


def _marked(n_points: int, part: str) -> BoolArray:
    """Return which points of a line have a mark: all of a validation, or of a long one evenly spaced ones."""
    if part != VALIDATION:
        return np.zeros(n_points, bool)
    return np.arange(n_points) % max(1, -(-n_points // MOST_MARKS)) == 0


def smoothed(values: FloatArray, smoothing: float) -> FloatArray:
    """Return the exponential moving average of a series.

    Each value is the weighted mean of itself and all before it, each earlier one weighing `smoothing` times the next;
    the weights are divided by their sum, so that the start is not pulled to 0.

    Args:
        values: shape (n,).
        smoothing: 0 (as measured) up to, not including, 1.
    """
    if smoothing <= 0:
        return values
    return pd.Series(values).ewm(alpha=1 - smoothing, adjust=True).mean().to_numpy()


def _x(run: DrawnRun, axis: Axis) -> FloatArray:
    if axis == "minutes":
        seconds = run.metrics.column("time")
        return (seconds - seconds[0]) / 60 if len(seconds) else seconds
    return run.metrics.column("step") / (run.steps_per_epoch if axis == "epoch" else 1)


def run_colors(names: Mapping[str, str], colors: Palette) -> dict[str, str]:
    """Return a colour for each run, by the name in the legend: that of its model, unless one before has nearly it.

    Args:
        names: the model's name by the name in the legend, at most `MOST_RUNS`.
        colors: the palette of the appearance.
    """
    chosen: dict[str, str] = {}
    for legend, model in names.items():
        wanted = model_style(model, False, colors).color
        taken = list(chosen.values())
        if _apart(wanted, taken) < CLEARLY_APART:
            wanted = max((*colors.models, *colors.further), key=lambda color: _apart(color, taken))
        chosen[legend] = wanted
    return chosen


def _apart(color: str, others: Sequence[str]) -> float:
    """Return how far a colour is from the nearest of others."""
    return min((color_difference(color, other) for other in others), default=math.inf)


def curves_chart(
    points: pd.DataFrame,
    figure: Figure,
    colors_of_runs: Mapping[str, str],
    axis: Axis,
    log: bool,
    colors: Palette,
    height: int = 340,
) -> alt.LayerChart:
    """Draw lines for training and dashed lines with marks for validation; the best epoch has a ring.

    Args:
        points: from `run_points`.
        figure: what they are.
        colors_of_runs: from `run_colors`.
        axis: what `x` counts.
        log: whether the vertical axis is logarithmic; values that are not above 0 are left out then.
        colors: the palette of the appearance.
        height: in pixels.
    """
    shown = points[points["y"] > 0] if log else points
    base = alt.Chart(shown).encode(
        x=alt.X("x:Q", title=AXIS_TITLES[axis], axis=_x_axis(axis)),
        y=alt.Y(
            "y:Q",
            title=figure.unit,
            scale=alt.Scale(type="log" if log else "linear", zero=False, nice=True),
            axis=alt.Axis(format="~%") if figure.percent else alt.Undefined,
        ),
        color=alt.Color("run:N", scale=_by_run(colors_of_runs, list(colors_of_runs.values())), legend=None),
        tooltip=_tooltip(figure, axis),
    )
    dashes = alt.Scale(
        domain=[TRAINING, VALIDATION, MEASURED, *FIRST_STAGE], range=[[1, 0], [5, 3], [1, 0], [1, 0], [5, 3]]
    )
    lines = base.mark_line(strokeWidth=1.8).encode(
        strokeDash=alt.StrokeDash("part:N", scale=dashes, legend=None),
        opacity=alt.Opacity("part:N", scale=_opacities(), legend=None),
    )
    layers = [lines]
    # Only where there are any: a layer of nothing is a picture without a name.
    if shown["marked"].any():
        shapes = alt.Shape("run:N", scale=_by_run(colors_of_runs, list(SHAPES)), legend=None)
        marks = base.transform_filter(alt.datum.marked).mark_point(filled=True, size=55, opacity=1)
        layers.append(marks.encode(shape=shapes))
    if shown["best"].any():
        rings = base.transform_filter(alt.datum.best).mark_point(filled=False, size=260, strokeWidth=2.5, opacity=1)
        layers.append(rings.encode(color=alt.value(colors.ink)))
    return (
        alt.layer(*layers)
        .properties(height=height, title=_title(figure, axis))
        .configure_axis(labelColor=colors.faint, titleColor=colors.faint, gridColor=colors.grid)
    )


def _x_axis(axis: Axis) -> alt.Axis:
    if axis == "step":
        return alt.Axis(grid=False, format=",d", tickMinStep=1)
    return alt.Axis(grid=False, tickMinStep=0.1)


def _opacities() -> alt.Scale:
    """Return how strongly each part of a run is drawn: its first stage stands back, and what is not smoothed."""
    strong = {TRAINING: 1.0, VALIDATION: 1.0, MEASURED: 0.25} | dict.fromkeys(FIRST_STAGE, 0.5)
    # Without the type Vega-Lite makes a scale of points of it, which reads a range by its ends.
    return alt.Scale(type="ordinal", domain=list(strong), range=list(strong.values()))


def _title(figure: Figure, axis: Axis) -> list[str]:
    """Return the lines of the title, each short enough for a phone."""
    ring = ["ring: best epoch"] if VALIDATION in figure.parts else []
    return [f"{figure.title}, by {'time' if axis == 'minutes' else axis}", *ring]


def _tooltip(figure: Figure, axis: Axis) -> list[Any]:
    return [
        alt.Tooltip("run:N", title="run"),
        alt.Tooltip("part:N", title="part"),
        alt.Tooltip("x:Q", title=axis, format=",~g"),
        alt.Tooltip("y:Q", title=figure.unit, format=figure.format),
    ]


def _by_run(colors_of_runs: Mapping[str, str], values: list[str]) -> alt.Scale:
    """Return the scale that gives each run its colour or shape, whatever runs a chart has points of."""
    return alt.Scale(domain=list(colors_of_runs), range=values[: len(colors_of_runs)])
