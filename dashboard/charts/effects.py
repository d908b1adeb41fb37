"""What u and w did to the predictions of one label: where each model puts each group, and how far it moved them."""

import html
from typing import Any

import plotly.graph_objects as go

from cxr_core.evaluation.effects import GROUPS, Effects
from cxr_core.words import decimals, percent
from dashboard.charts.frame import figure, label_axis, plain_axis
from dashboard.charts.palette import VALUE_SYMBOLS, Palette


def spread_chart(effects: Effects, colors: Palette) -> go.Figure:
    """Draw, for each model and group, the median with the middle half (thick) and the middle nine tenths (thin)."""
    chart = figure("Where the models put the images: median, 50 %, 90 %", colors, _height(effects))
    for group, moved in effects.groups.items():
        color = colors.values[group]
        for model, spread in moved.spreads.items():
            if spread.quantiles is None:
                continue
            low, quarter, median, three_quarters, high = spread.quantiles
            row = _row(group, model)
            for ends, width in (([low, high], 1.5), ([quarter, three_quarters], 6)):
                line = {"color": color, "width": width}
                chart.add_scatter(x=ends, y=[row, row], mode="lines", line=line, hoverinfo="skip", showlegend=False)
            chart.add_scatter(
                x=[median],
                y=[row],
                mode="markers",
                showlegend=False,
                marker=_marker(group, colors) | {"color": colors.background, "line": {"color": color, "width": 2.5}},
                hovertemplate=f"{html.escape(model)}<br>{GROUPS[group]}: median %{{x:.2f}}, "
                f"90 % between {decimals(low, 2)} and {decimals(high, 2)}, n = {spread.n:,}<extra></extra>",
            )
    chart.update_xaxes(plain_axis(f"predicted {effects.scale}", colors))
    chart.update_yaxes(label_axis(colors), type="category")
    return chart


def shift_chart(effects: Effects, colors: Palette) -> go.Figure:
    """Draw the mean shift of each group from the baseline, with its 95 % interval by patient."""
    chart = figure("Mean paired shift from the baseline, 95 % interval", colors, _height(effects))
    chart.add_vline(x=0, line={"color": colors.faint, "width": 1})
    for group, moved in effects.groups.items():
        known = [(model, shift, shift.mean) for model, shift in moved.shifts.items() if shift.mean is not None]
        chart.add_scatter(
            x=[mean for _, _, mean in known],
            y=[_row(group, model) for model, _, _ in known],
            error_x={
                "array": [shift.ci[1] - mean if shift.ci else None for _, shift, mean in known],
                "arrayminus": [mean - shift.ci[0] if shift.ci else None for _, shift, mean in known],
                "color": colors.values[group],
                "thickness": 1.5,
                "width": 4,
            },
            customdata=[f"n = {shift.n:,}, {percent(shift.above or 0, 0)} of them moved up" for _, shift, _ in known],
            mode="markers",
            showlegend=False,
            marker=_marker(group, colors),
            hovertemplate="%{y}: %{x:+.3f}<br>%{customdata}<extra></extra>",
        )
    chart.update_xaxes(plain_axis(f"change of the {effects.scale}", colors), tickformat="+.2f")
    chart.update_yaxes(label_axis(colors), type="category")
    return chart


def _marker(group: str, colors: Palette) -> dict[str, Any]:
    return {"symbol": VALUE_SYMBOLS[group], "size": 11, "color": colors.values[group]}


def _row(group: str, model: str) -> str:
    """Return the name of a row, on two lines so that the axis takes no more than the longest model name."""
    return f"{group}<br>{html.escape(model)}"


def _height(effects: Effects) -> int:
    return 130 + 42 * len(effects.groups) * len(effects.models)
