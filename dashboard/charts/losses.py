"""Training and validation loss of one or several runs.

An Altair chart, not a Plotly one: it is redrawn in place while the run writes, where Plotly would flicker and forget
the zoom.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import altair as alt
import pandas as pd

from dashboard.charts.palette import LineStyle, Palette

Axis = Literal["step", "epoch", "minutes"]
AXES: tuple[Axis, ...] = ("step", "epoch", "minutes")
AXIS_TITLES = {"step": "step", "epoch": "epoch", "minutes": "minutes since the start"}
PARTS = {"loss": "Training", "val_loss": "Validation"}
#: Rows of one run that reach the browser; a longer run is thinned evenly, its validation rows are all kept.
MOST_POINTS = 1200


def loss_points(
    run: str, rows: Sequence[Mapping[str, Any]], axis: Axis, smoothing: int, steps_per_epoch: float
) -> pd.DataFrame:
    """Return `run, part, x, y` of a run's metric rows, ready for `loss_chart`.

    Args:
        run: the name that the chart shows.
        rows: metric rows with `step`, `time` (seconds since 1970) and, where measured, `loss` and `val_loss`.
        axis: what `x` counts.
        smoothing: rows of the running mean over the training loss; 1 leaves it as it is.
        steps_per_epoch: how many steps make an epoch.
    """
    frame = pd.DataFrame(list(rows), columns=["step", "time", "loss", "val_loss"], dtype=float)
    x = _x(frame, axis, steps_per_epoch)
    parts = []
    for column, part in PARTS.items():
        measured = frame[column].notna() & x.notna()
        points = pd.DataFrame({"run": run, "part": part, "x": x[measured], "y": frame.loc[measured, column]})
        if column == "loss":
            points["y"] = points["y"].rolling(max(1, smoothing), min_periods=1).mean()
            points = points.iloc[:: max(1, len(points) // MOST_POINTS)]
        parts.append(points)
    return pd.concat(parts, ignore_index=True)


def _x(frame: pd.DataFrame, axis: Axis, steps_per_epoch: float) -> pd.Series:
    if axis == "minutes":
        return (frame["time"] - frame["time"].min()) / 60
    return frame["step"] / (steps_per_epoch if axis == "epoch" else 1)


def loss_chart(
    points: pd.DataFrame, styles: dict[str, LineStyle], axis: Axis, log: bool, colors: Palette
) -> alt.LayerChart:
    """Draw lines for training and dashed lines with points for validation, one colour for each run.

    Args:
        points: `run, part, x, y` of all runs together.
        styles: the style of each run's name.
        axis: what `x` counts.
        log: whether the vertical axis is logarithmic.
        colors: the palette of the appearance.
    """
    runs = list(styles)
    base = alt.Chart(points).encode(
        x=alt.X(
            "x:Q",
            title=AXIS_TITLES[axis],
            axis=alt.Axis(grid=False, format="~g", tickMinStep=1 if axis == "step" else 0.1),
        ),
        y=alt.Y("y:Q", title="loss", scale=alt.Scale(type="log" if log else "linear", zero=False, nice=True)),
        color=alt.Color(
            "run:N",
            title=None,
            scale=alt.Scale(domain=runs, range=[styles[run].color for run in runs]),
            legend=alt.Legend(orient="top", labelLimit=320) if len(runs) > 1 else None,
        ),
        strokeDash=alt.StrokeDash(
            "part:N",
            title=None,
            scale=alt.Scale(domain=list(PARTS.values()), range=[[1, 0], [5, 3]]),
            legend=None,
        ),
        tooltip=[
            alt.Tooltip("run:N", title="run"),
            alt.Tooltip("part:N", title="part"),
            alt.Tooltip("x:Q", title=axis, format=",~g"),
            alt.Tooltip("y:Q", title="loss", format=".4f"),
        ],
    )
    marks = base.transform_filter(alt.datum.part == PARTS["val_loss"]).mark_point(filled=True, size=55)
    return (
        (base.mark_line(strokeWidth=1.8) + marks)
        .properties(height=340, title=f"Training loss (line), validation loss (dots) by {axis}")
        .configure_axis(labelColor=colors.faint, titleColor=colors.faint)
        .configure_legend(labelColor=colors.ink)
    )
