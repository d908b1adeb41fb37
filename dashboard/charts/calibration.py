"""Do probabilities come true? Observed share beside predicted probability, and where the images are."""

from collections.abc import Sequence
from math import log
from typing import Any

import plotly.graph_objects as go

from cxr_core.evaluation.calibration import ReliabilityBin
from dashboard.charts.frame import MARGIN, figure, plain_axis, square_axes
from dashboard.charts.palette import LineStyle, Palette

#: The height of the tallest bar of the histogram, on the axis of the observed share.
_TALLEST = 0.18
#: Probabilities that are written on the logit axis.
_TICKS = (0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999)


def calibration_chart(
    bins: Sequence[ReliabilityBin],
    style: LineStyle,
    colors: Palette,
    histogram: Sequence[int] = (),
    on_logit: bool = False,
) -> go.Figure:
    """Draw the observed share of positives against the mean predicted probability of each bin.

    Args:
        bins: of rising probability.
        style: the model's line.
        colors: the palette of the appearance.
        histogram: how many images are in equal parts of [0, 1], drawn as bars at the foot; none on the logit axis.
        on_logit: draw both axes by their logit, which spreads what is near 0 and 1; bins without or with nothing but
            positives have no place there.
    """
    shown = [b for b in bins if not on_logit or (0 < b.observed < 1 and 0 < b.mean_predicted < 1)]
    chart = figure(f"Calibration of the probabilities · n = {sum(b.n for b in bins):,}", colors, 502)
    # On a narrow screen the legend has two lines, below the title.
    chart.update_layout(margin=MARGIN | {"t": 88})
    ends = [_TICKS[0], _TICKS[-1]] if on_logit else [0, 1]
    place = _logit if on_logit else float
    if histogram and not on_logit:
        chart.add_bar(**_bars(histogram, colors))
    chart.update_layout(_logit_axes(colors) if on_logit else square_axes(_PREDICTED, _OBSERVED, colors))
    chart.add_scatter(
        x=[place(one) for one in ends],
        y=[place(one) for one in ends],
        mode="lines",
        name="Perfect",
        hoverinfo="skip",
        line={"color": colors.faint, "dash": "dot", "width": 1},
    )
    chart.add_scatter(
        x=[place(b.mean_predicted) for b in shown],
        y=[place(b.observed) for b in shown],
        customdata=[(b.mean_predicted, b.observed, b.n) for b in shown],
        error_y=_intervals(shown, on_logit),
        mode="markers+lines",
        name="Observed, 95 % interval",
        marker={"size": 8},
        line={"color": style.color, "width": style.width},
        hovertemplate="predicted %{customdata[0]:.3f}, observed %{customdata[1]:.3f}, n = %{customdata[2]:,}"
        "<extra></extra>",
    )
    return chart


_PREDICTED, _OBSERVED = "Mean predicted probability", "Observed share of positives"


def _intervals(bins: Sequence[ReliabilityBin], on_logit: bool) -> dict[str, Any]:
    place = _logit if on_logit else float
    low = [place(b.observed) - place(b.observed_ci[0]) if b.observed_ci else None for b in bins]
    high = [place(b.observed_ci[1]) - place(b.observed) if b.observed_ci else None for b in bins]
    return {"array": high, "arrayminus": low, "thickness": 1, "width": 3}


def _bars(histogram: Sequence[int], colors: Palette) -> dict[str, Any]:
    width, most = 1 / len(histogram), max(histogram)
    return {
        "x": [(place + 0.5) * width for place in range(len(histogram))],
        "y": [_TALLEST * n / most if most else 0 for n in histogram],
        "customdata": [(place * width, (place + 1) * width, n) for place, n in enumerate(histogram)],
        "width": width * 0.9,
        "name": "Images",
        "marker": {"color": colors.quiet},
        "hovertemplate": "%{customdata[2]:,} images from %{customdata[0]:.2f} to %{customdata[1]:.2f}<extra></extra>",
    }


def _logit(probability: float) -> float:
    inside = min(max(probability, 1e-9), 1 - 1e-9)
    return log(inside / (1 - inside))


def _logit_axes(colors: Palette) -> dict[str, Any]:
    ticks = {"tickvals": [_logit(one) for one in _TICKS], "ticktext": [f"{one:g}" for one in _TICKS]}
    ends = {"range": [_logit(_TICKS[0]) - 0.3, _logit(_TICKS[-1]) + 0.3], "constrain": "domain"}
    y_axis = plain_axis(f"{_OBSERVED} (logit axis)", colors) | ticks | ends | {"scaleanchor": "x", "scaleratio": 1}
    return {"xaxis": plain_axis(f"{_PREDICTED} (logit axis)", colors) | ticks | ends, "yaxis": y_axis}
