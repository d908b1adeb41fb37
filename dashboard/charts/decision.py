"""The decision curve: what acting on a probability is worth, beside acting on all images or on none."""

from collections.abc import Sequence

import plotly.graph_objects as go

from cxr_core.evaluation.decision import NetBenefit
from dashboard.charts.frame import MARGIN, figure, plain_axis
from dashboard.charts.palette import LineStyle, Palette


def decision_chart(points: Sequence[NetBenefit], style: LineStyle, colors: Palette) -> go.Figure:
    """Draw the net benefit at each threshold with its interval, that of acting on all, and 0 for acting on none.

    Args:
        points: of rising threshold, at least one.
        style: the model's line.
        colors: the palette of the appearance.
    """
    chart = figure("Net benefit of acting from a probability on", colors, 470)
    known = [one for one in points if one.ci]
    band = [one.threshold for one in known] + [one.threshold for one in reversed(known)]
    ends = [one.ci[1] for one in known if one.ci] + [one.ci[0] for one in reversed(known) if one.ci]
    chart.add_scatter(
        x=band, y=ends, fill="toself", mode="none", name="95 % interval", hoverinfo="skip", opacity=0.25,
        fillcolor=style.color,
    )  # fmt: skip
    x = [one.threshold for one in points]
    chart.add_scatter(
        x=x,
        y=[one.model for one in points],
        name="The model",
        mode="lines",
        line={"color": style.color, "width": style.width},
        hovertemplate="from %{x:.0%}: net benefit %{y:.3f}<extra>the model</extra>",
    )
    chart.add_scatter(
        x=x,
        y=[one.treat_all for one in points],
        name="Acting on all",
        mode="lines",
        line={"color": colors.faint, "dash": "dash", "width": 1.5},
        hovertemplate="from %{x:.0%}: net benefit %{y:.3f}<extra>acting on all</extra>",
    )
    chart.add_scatter(
        x=[0, 1], y=[0, 0], name="Acting on none", mode="lines", hoverinfo="skip",
        line={"color": colors.faint, "dash": "dot", "width": 1.5},
    )  # fmt: skip
    top = max([one.model for one in points] + [points[0].treat_all, 0.01])
    # On a narrow screen the legend has two lines, below the title.
    chart.update_layout(margin=MARGIN | {"t": 88})
    chart.update_xaxes(plain_axis("probability from which one acts", colors), range=[0, 1], tickformat=".0%")
    chart.update_yaxes(plain_axis("net benefit, true positives an image", colors), range=[-0.4 * top, 1.15 * top])
    return chart
