"""What the labels mean: for each label, the share that readers call present among the images of each value."""

import plotly.graph_objects as go

from cxr_core.evaluation.shares import PresentShare
from cxr_core.schema import VALUES, label_words
from dashboard.charts.frame import Leads, figure, label_axis, unit_axis
from dashboard.charts.palette import VALUE_SYMBOLS, Palette

_LANE = 0.18


def meaning_chart(labels: dict[str, dict[str, PresentShare]], colors: Palette, leads: Leads | None = None) -> go.Figure:
    """Draw each share with its interval, a lane for each value; what too few were read of is not drawn.

    Args:
        labels: label -> value -> share, in the order in which they are drawn.
        colors: the palette of the appearance.
        leads: the address that a click on a point leads to; None for none.
    """
    chart = figure("Share that the readers call present, 95 % intervals by patient", colors, 120 + 40 * len(labels))
    order, names = list(labels), [label_words(label) for label in labels]
    for lane, value in enumerate(VALUES):
        known = [(row, shares[value]) for row, shares in enumerate(labels.values()) if shares[value].share is not None]
        chart.add_scatter(
            x=[share.share for _, share in known],
            y=[row + (lane - 1.5) * _LANE for row, _ in known],
            customdata=[
                [names[row], *share.counted[::-1], share.n, leads(order[row], value) if leads else ""]
                for row, share in known
            ],
            error_x={
                "array": [_arm(share, 1) for _, share in known],
                "arrayminus": [_arm(share, 0) for _, share in known],
                "thickness": 1.2,
                "width": 0,
            },
            mode="markers",
            name=label_words(value),
            marker={"color": colors.values[value], "symbol": VALUE_SYMBOLS[value], "size": 8},
            hovertemplate="%{customdata[0]}: %{x:.2f}, %{customdata[1]:,} of %{customdata[2]:,} read "
            "(of %{customdata[3]:,})<extra></extra>",
        )
    ticks = {
        "tickmode": "array",
        "tickvals": list(range(len(names))),
        "ticktext": names,
        "range": [len(names) - 0.5, -0.5],
    }
    axis = {name: part for name, part in label_axis(colors).items() if name != "autorange"} | ticks
    chart.update_layout(xaxis=unit_axis("Share present", colors), yaxis=axis)
    return chart


def _arm(share: PresentShare, end: int) -> float:
    """Return how far an end of the interval is from the share; 0 without one."""
    return abs(share.ci[end] - share.share) if share.ci and share.share is not None else 0.0
