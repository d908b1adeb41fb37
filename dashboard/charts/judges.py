"""Each model's figure by one judge beside the figure by another."""

from collections.abc import Mapping

import plotly.graph_objects as go

from cxr_core.evaluation.judge_agreement import JudgedTwice
from cxr_core.evaluation.results import Bounds, MeanFigure
from dashboard.charts.frame import figure, plain_axis
from dashboard.charts.palette import Palette, model_style

#: Around the outermost figures or ends of intervals.
_MARGIN = 0.01


def judges_chart(
    found: JudgedTwice, axes: tuple[str, str], names: Mapping[str, str], ensembles: set[str], colors: Palette
) -> go.Figure:
    """Draw a point with both intervals for each model; on the dotted line both judges say the same.

    Args:
        found: the models' figures by both judges.
        axes: what the axes are called: the figure by the first judge, and by the second.
        names: model -> its short name.
        ensembles: which of the models are ensembles.
        colors: the palette of the appearance.
    """
    chart = figure("The same models on the same images, by two judges", colors, 520)
    low, high = _range(found)
    chart.add_scatter(
        x=[low, high],
        y=[low, high],
        mode="lines",
        name="Both alike",
        hoverinfo="skip",
        line={"color": colors.faint, "dash": "dot", "width": 1},
    )
    for model, first in found.first.items():
        second, style = found.second[model], model_style(model, model in ensembles, colors)
        chart.add_scatter(
            x=[first.value],
            y=[second.value],
            error_x=_arms(first),
            error_y=_arms(second),
            mode="markers+text",
            text=[names[model]],
            textposition="top right",
            textfont={"color": colors.ink, "size": 12},
            name=names[model],
            showlegend=False,
            marker={"color": style.color, "size": 9},
            hovertemplate=f"{names[model]}: %{{x:.3f}}, %{{y:.3f}}<extra></extra>",
        )
    ends = {"range": [low, high], "tickformat": ".2f"}
    chart.update_layout(
        xaxis=plain_axis(axes[0], colors) | ends, yaxis=plain_axis(axes[1], colors) | ends | {"scaleanchor": "x"}
    )
    return chart


def _range(found: JudgedTwice) -> Bounds:
    every = [*found.first.values(), *found.second.values()]
    ends = [end for mean in every for end in (mean.value, *(mean.ci or ())) if end is not None]
    return max(0.0, min(ends, default=0.0) - _MARGIN), min(1.0, max(ends, default=1.0) + _MARGIN)


def _arms(mean: MeanFigure) -> dict[str, object]:
    low, high = mean.ci or (mean.value, mean.value)
    value = mean.value or 0.0
    return {"array": [(high or 0.0) - value], "arrayminus": [value - (low or 0.0)], "thickness": 1, "width": 0}
