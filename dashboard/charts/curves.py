"""ROC and precision-recall curves on square axes, with the operating point on both."""

import html
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import plotly.graph_objects as go

from cxr_core.evaluation.curves import PrCurve, RocCurve, drawn_vertices
from cxr_core.evaluation.operating import OperatingPoint
from cxr_core.evaluation.results import LabelEvaluation
from cxr_core.tasks.evaluate import LabelCurves
from cxr_core.words import percent
from dashboard.charts.frame import layout, square_axes
from dashboard.charts.palette import LineStyle, Palette

HEIGHT = 470
#: Parts of the axis, over all curves of a chart together.
MOST_COLUMNS = 1000
POINT_NAME = "Operating point"
#: In the lower right corner, which a ROC curve leaves empty.
_LEGEND = {"orientation": "v", "x": 0.99, "xanchor": "right", "y": 0.02, "yanchor": "bottom"}
#: Markers that are there to be clicked on; drawing all of them would take longer than all else.
_UNSEEN = {"opacity": 0, "maxdisplayed": 2}


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
    """The operating point, or a reader, on one of the two charts."""

    x: float
    y: float
    text: str


def on_roc(point: OperatingPoint | None) -> Point | None:
    """Return an operating point as it stands on a ROC curve."""
    if point is None or point.specificity.value is None or point.sensitivity.value is None:
        return None
    sensitivity, specificity = point.sensitivity.value, point.specificity.value
    return Point(1 - specificity, sensitivity, f"sensitivity {sensitivity:.3f}, specificity {specificity:.3f}")


def on_pr(point: OperatingPoint | None) -> Point | None:
    """Return an operating point as it stands on a precision-recall curve; None where nothing is called positive."""
    if point is None or point.ppv.value is None or point.sensitivity.value is None:
        return None
    recall, precision = point.sensitivity.value, point.ppv.value
    return Point(recall, precision, f"recall {recall:.3f}, precision {precision:.3f}")


def roc_of_label(
    figures: LabelEvaluation,
    curves: LabelCurves,
    style: LineStyle,
    colors: Palette,
    point: Point | None = None,
    readers: Sequence[Point] = (),
) -> go.Figure:
    """Draw the ROC curve of one label of one model, which must be defined."""
    assert curves.roc is not None
    title = f"ROC · AUC {figures.roc_auc:.3f} · n = {figures.n:,}"
    return roc_chart(title, [drawn_roc(curves, curves.roc, style)], colors, point, readers)


def pr_of_label(
    figures: LabelEvaluation,
    curves: LabelCurves,
    style: LineStyle,
    colors: Palette,
    point: Point | None = None,
    readers: Sequence[Point] = (),
) -> go.Figure:
    """Draw the precision-recall curve of one label of one model, which must be defined."""
    assert curves.pr is not None
    title = f"Precision-recall · AP {figures.average_precision:.3f} · n = {figures.n:,}"
    return pr_chart(title, [drawn_pr(curves, curves.pr, style)], curves.prevalence, colors, point, readers)


def roc_chart(
    title: str,
    curves: Sequence[DrawnCurve],
    colors: Palette,
    point: Point | None = None,
    readers: Sequence[Point] = (),
) -> go.Figure:
    """Draw true against false positive rate; the diagonal is chance."""
    lines = _lines(curves, "false positive rate", "sensitivity")
    axes = square_axes("False positive rate (1 − specificity)", "Sensitivity", colors)
    # The legend stands on the bottom of the chart: on a narrow screen the square must too, or it covers the axis.
    axes["yaxis"]["constraintoward"] = "bottom"
    legend = {"showlegend": len(curves) > 1, "legend": _LEGEND | {"bgcolor": colors.background}}
    traces = [_baseline(0, 1, "chance", 0.87, colors), *lines, *_read(readers, colors), *_marks(point, colors)]
    return go.Figure(traces, layout(title, colors, HEIGHT) | axes | legend)


def pr_chart(
    title: str,
    curves: Sequence[DrawnCurve],
    prevalence: float | None,
    colors: Palette,
    point: Point | None = None,
    readers: Sequence[Point] = (),
) -> go.Figure:
    """Draw precision against recall as steps; the horizontal line is the prevalence, what chance would reach.

    The colours are those of the ROC chart beside it, which has the legend.
    """
    lines = _lines(curves, "recall", "precision", shape="hv")
    axes = square_axes("Recall (sensitivity)", "Precision (PPV)", colors)
    if prevalence is not None:
        words = f"prevalence {percent(prevalence)}"
        lines = [_baseline(prevalence, prevalence, words, 0.01, colors), *lines]
    traces = [*lines, *_read(readers, colors), *_marks(point, colors)]
    return go.Figure(traces, layout(title, colors, HEIGHT) | axes | {"showlegend": False})


def drawn_error(curves: Sequence[DrawnCurve]) -> float:
    """Return by how much of the horizontal axis a line of a chart of these curves may be off; 0 where none is thinned.

    Of every part of the axis of this width the first, last, lowest and highest vertex are drawn.
    """
    columns = _columns(len(curves))
    return 1 / columns if any(curve.x.size > 4 * columns for curve in curves) else 0.0


def _columns(curves: int) -> int:
    """Return into how many parts the axis is cut, so that a chart stays under 100 kB whatever it shows."""
    return min(400, MOST_COLUMNS // max(curves, 1))


def _lines(curves: Sequence[DrawnCurve], x_name: str, y_name: str, shape: str = "linear") -> list[dict[str, Any]]:
    columns = _columns(len(curves))
    return [_line(_thinned(curve, columns), x_name, y_name, shape) for curve in curves]


def _thinned(curve: DrawnCurve, columns: int) -> DrawnCurve:
    """Return a curve as it is drawn: float32 is finer than a pixel, while thresholds stay exact for a click."""
    kept = drawn_vertices(curve.x, curve.y, columns)
    x, y = curve.x[kept].astype(np.float32), curve.y[kept].astype(np.float32)
    return replace(curve, x=x, y=y, thresholds=curve.thresholds[kept])


def _line(curve: DrawnCurve, x_name: str, y_name: str, shape: str) -> dict[str, Any]:
    name = html.escape(curve.name)
    return {
        "type": "scatter",
        "x": curve.x,
        "y": curve.y,
        "customdata": curve.thresholds,
        "name": name,
        # Plotly lets people click on markers only, so each vertex has one that is not drawn.
        "mode": "lines+markers",
        "marker": _UNSEEN | {"color": curve.style.color},
        "selected": {"marker": {"opacity": 0}},
        "unselected": {"marker": {"opacity": 0}},
        "line": {"color": curve.style.color, "dash": curve.style.dash, "width": curve.style.width, "shape": shape},
        "hovertemplate": f"{name}<br>{x_name} %{{x:.3f}}, {y_name} %{{y:.3f}}"
        "<br>threshold %{customdata:.3f}<extra></extra>",
    }


def _baseline(left: float, right: float, words: str, place: float, colors: Palette) -> dict[str, Any]:
    """Return the line of guessing from x = 0 to 1 with its name on it at x = `place`.

    The name is a text of the line: an annotation would take longer to draw than the curve.
    """
    return {
        "type": "scatter",
        "x": [0, place, 1],
        "y": [left, left + (right - left) * place, right],
        "text": ["", words, ""],
        "textposition": "top left" if place > 0.5 else "top right",
        "textfont": {"size": 12, "color": colors.faint},
        "name": words,
        "mode": "lines+text",
        "hoverinfo": "skip",
        "line": {"color": colors.faint, "dash": "dot", "width": 1.2},
        "showlegend": False,
    }


def _read(readers: Sequence[Point], colors: Palette) -> list[dict[str, Any]]:
    """Return the readers as one set of marks, each with its name in the hover."""
    if not readers:
        return []
    return [
        {
            "type": "scatter",
            "x": [reader.x for reader in readers],
            "y": [reader.y for reader in readers],
            "text": [html.escape(reader.text) for reader in readers],
            "name": "Readers",
            "showlegend": False,
            "mode": "markers",
            "marker": {"symbol": "x", "size": 9, "color": colors.ink},
            "hovertemplate": "%{text}<extra>Reader</extra>",
        }
    ]


def _marks(point: Point | None, colors: Palette) -> list[dict[str, Any]]:
    if point is None:
        return []
    outline = {"color": colors.values["positive"], "width": 3}
    return [
        {
            "type": "scatter",
            "x": [point.x],
            "y": [point.y],
            "name": POINT_NAME,
            "showlegend": False,
            "mode": "markers",
            "marker": {"symbol": "circle", "size": 13, "color": colors.background, "line": outline},
            "hovertemplate": f"{point.text}<extra>{POINT_NAME}</extra>",
        }
    ]
