"""ROC and precision-recall curves on square axes, with the operating point on both."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from cxr_core.evaluation.curves import PrCurve, RocCurve
from cxr_core.tasks.evaluate import LabelCurves
from dashboard.charts.frame import figure, square
from dashboard.charts.palette import LineStyle, Palette

HEIGHT = 470
#: In the lower right corner, which a ROC curve leaves empty.
_LEGEND = {"orientation": "v", "x": 0.99, "xanchor": "right", "y": 0.02, "yanchor": "bottom"}


@dataclass(frozen=True)
class DrawnCurve:
    """One curve: `x`, `y` in [0, 1] and, for the hover, the threshold at each point."""

    name: str
    x: np.ndarray
    y: np.ndarray
    thresholds: np.ndarray
    style: LineStyle


def drawn_roc(curves: LabelCurves, roc: RocCurve, style: LineStyle) -> DrawnCurve:
    """Return a ROC curve ready to be drawn."""
    return DrawnCurve(curves.model, roc.fpr, roc.tpr, roc.thresholds, style)


def drawn_pr(curves: LabelCurves, pr: PrCurve, style: LineStyle) -> DrawnCurve:
    """Return a precision-recall curve ready to be drawn.

    Its last vertex (recall 0, precision 1) is a convention, no measurement: the line ends at a real precision.
    """
    precision = np.append(pr.precision[:-1], pr.precision[-2])
    return DrawnCurve(curves.model, pr.recall, precision, pr.thresholds, style)


@dataclass(frozen=True)
class Point:
    """The operating point on one of the two charts."""

    x: float
    y: float
    text: str


def roc_chart(title: str, curves: Sequence[DrawnCurve], colors: Palette, point: Point | None = None) -> go.Figure:
    """Draw true against false positive rate; the diagonal is chance."""
    chart = square(figure(title, colors, HEIGHT), "False positive rate (1 − specificity)", "Sensitivity", colors)
    _baseline(chart, [0, 1], [0, 1], "chance", 0.87, colors)
    for curve in curves:
        chart.add_trace(_line(curve, "false positive rate", "sensitivity"))
    chart.update_layout(showlegend=len(curves) > 1, legend=_LEGEND | {"bgcolor": colors.background})
    return _with_point(chart, point, colors)


def pr_chart(
    title: str,
    curves: Sequence[DrawnCurve],
    prevalence: float | None,
    colors: Palette,
    point: Point | None = None,
) -> go.Figure:
    """Draw precision against recall as steps; the horizontal line is the prevalence, what chance would reach.

    The colours are those of the ROC chart beside it, which has the legend.
    """
    chart = square(figure(title, colors, HEIGHT), "Recall (sensitivity)", "Precision (PPV)", colors)
    if prevalence is not None:
        words = f"prevalence {100 * prevalence:.1f} %"
        _baseline(chart, [0, 1], [prevalence, prevalence], words, 0.01, colors)
    for curve in curves:
        chart.add_trace(_line(curve, "recall", "precision", shape="hv"))
    chart.update_layout(showlegend=False)
    return _with_point(chart, point, colors)


def _line(curve: DrawnCurve, x_name: str, y_name: str, shape: str = "linear") -> go.Scatter:
    return go.Scatter(
        x=curve.x,
        y=curve.y,
        customdata=curve.thresholds,
        name=curve.name,
        mode="lines",
        line={"color": curve.style.color, "dash": curve.style.dash, "width": curve.style.width, "shape": shape},
        hovertemplate=f"{curve.name}<br>{x_name} %{{x:.3f}}, {y_name} %{{y:.3f}}"
        "<br>threshold %{customdata:.3f}<extra></extra>",
    )


def _baseline(chart: go.Figure, x: list[float], y: list[float], words: str, place: float, colors: Palette) -> None:
    """Draw the line of guessing, with its name on it at x = `place`."""
    line = {"color": colors.faint, "dash": "dot", "width": 1.2}
    chart.add_scatter(x=x, y=y, name=words, mode="lines", hoverinfo="skip", line=line, showlegend=False)
    height = y[0] + (y[1] - y[0]) * place
    chart.add_annotation(
        x=place,
        y=height,
        text=words,
        showarrow=False,
        xanchor="right" if place > 0.5 else "left",
        yanchor="bottom",
        font={"size": 12, "color": colors.faint},
    )


def _with_point(chart: go.Figure, point: Point | None, colors: Palette) -> go.Figure:
    if point is not None:
        chart.add_scatter(
            x=[point.x],
            y=[point.y],
            name="Operating point",
            showlegend=False,
            mode="markers",
            marker={
                "symbol": "circle",
                "size": 13,
                "color": colors.background,
                "line": {"color": colors.values["positive"], "width": 3},
            },
            hovertemplate=f"{point.text}<extra>Operating point</extra>",
        )
    return chart
