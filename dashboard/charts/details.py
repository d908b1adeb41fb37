"""The charts behind the curves: where the uncertain images fall, paired differences, (u, w) targets."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from cxr_core.evaluation.results import ALIKE, DIFFERENT, UNTESTED, LabelComparison
from cxr_core.schema import label_words
from cxr_core.tasks.distribution import positive_rates, value_counts
from cxr_core.uncertainty import Policy
from cxr_core.words import counted, percent, signed
from dashboard.charts.frame import MARGIN, Leads, figure, label_axis, plain_axis
from dashboard.charts.palette import VALUE_SYMBOLS, Palette

#: Where a click on a point of the spread of scores leads: label value, lower and upper edge of its bin -> address.
ScoreLeads = Callable[[str, float, float], str]


def score_chart(
    scores: dict[str, np.ndarray],
    threshold: float | None,
    score_name: str,
    n_bins: int,
    colors: Palette,
    leads: ScoreLeads | None = None,
) -> go.Figure:
    """Draw how the scores of each label value are spread: each line is a share of that value's own images.

    Args:
        scores: value name -> scores of its images (any may be empty).
        threshold: the operating point on the same axis.
        score_name: the axis title, as in "logit".
        n_bins: number of equal bins over the range of all scores.
        colors: the palette of the appearance.
        leads: the address that a click on the point of a value leads to, by the edges of its bin; None for none.
    """
    everything = np.concatenate([values for values in scores.values() if len(values)] or [np.zeros(1)])
    edges = np.linspace(everything.min(), everything.max() + 1e-9, n_bins + 1)
    chart = figure("Where the images of each label value fall", colors, 420)
    for value, values in scores.items():
        if len(values):
            chart.add_trace(_spread(value, values, edges, colors, leads))
    if threshold is not None:
        chart.add_vline(x=threshold, line={"color": colors.faint, "dash": "dot", "width": 1.5})
        words = {
            "text": "operating point",
            "showarrow": False,
            "xanchor": "left",
            "xshift": 4,
            "font": {"color": colors.faint},
        }
        chart.add_annotation(x=threshold, y=1, yref="paper", **words)
    chart.update_xaxes(plain_axis(score_name, colors))
    chart.update_yaxes(plain_axis("share of the value's images", colors), tickformat=".0%", rangemode="tozero")
    # On a narrow screen the legend has a line for each value, below the title.
    chart.update_layout(margin=MARGIN | {"t": 116})
    return chart


def _spread(value: str, values: np.ndarray, edges: np.ndarray, colors: Palette, leads: ScoreLeads | None) -> go.Scatter:
    counts, _ = np.histogram(values, edges)
    strong = value in {"uncertain", "positive"}
    return go.Scatter(
        x=(edges[:-1] + edges[1:]) / 2,
        y=counts / len(values),
        customdata=[
            [f"{counted(n, 'image')} ({percent(n / len(values))})", leads(value, low, high) if leads and n else ""]
            for n, low, high in zip(counts, edges[:-1], edges[1:], strict=True)
        ],
        name=f"{label_words(value)} (n = {len(values):,})",
        mode="lines+markers",
        marker={"symbol": VALUE_SYMBOLS[value], "size": 6},
        line={"color": colors.values[value], "width": 2.5 if strong else 1.5},
        hovertemplate=f"{label_words(value)}: %{{customdata[0]}} near %{{x:.2f}}<extra></extra>",
    )


def difference_chart(rows: Sequence[LabelComparison], first: str, second: str, colors: Palette) -> go.Figure:
    """Draw the paired difference in AUC of each label with its corrected interval.

    A filled mark differs beyond chance, and its interval leaves out 0; a hollow one is not told from 0; a cross was not
    tested and has no interval.

    Args:
        rows: the labels in schema order; undefined differences are left out.
        first: the model on the right side of zero.
        second: the model that is subtracted.
        colors: the palette of the appearance.
    """
    known = [row for row in rows if row.difference is not None]
    chart = figure("AUC difference, corrected interval<br>● beyond chance · ○ not · × not tested", colors, 540)
    chart.add_vline(x=0, line={"color": colors.faint, "width": 1})
    # Keeps the labels in their order, whichever of them are tested.
    chart.update_yaxes(label_axis(colors), categoryorder="array", categoryarray=[label_words(r.label) for r in known])
    tested, untested = ([row for row in known if (row.state == UNTESTED) == crossed] for crossed in (False, True))
    chart.add_scatter(**_differences(tested, colors), error_x=_corrected(tested, colors))
    if untested:
        chart.add_scatter(**_differences(untested, colors))
    chart.update_xaxes(plain_axis(f"← {second} better · AUC difference · {first} better →", colors), tickformat="+.2f")
    chart.update_layout(margin={"l": 8, "r": 24, "t": 56, "b": 56})
    return chart


_SYMBOLS = {DIFFERENT: "circle", ALIKE: "circle-open", UNTESTED: "x-thin-open"}


def _differences(rows: Sequence[LabelComparison], colors: Palette) -> dict[str, Any]:
    return {
        "x": [row.difference for row in rows],
        "y": [label_words(row.label) for row in rows],
        "text": [_difference_words(row) for row in rows],
        "mode": "markers",
        "marker": {
            "color": [_difference_color(row, colors) for row in rows],
            "symbol": [_SYMBOLS[row.state] for row in rows],
            "size": 11,
        },
        "hovertemplate": "%{y}: %{x:+.3f}<br>%{text}<extra></extra>",
        "showlegend": False,
    }


def _corrected(rows: Sequence[LabelComparison], colors: Palette) -> dict[str, Any]:
    ends = [(row.difference or 0.0, row.ci_corrected) for row in rows]
    return {
        "array": [ci[1] - middle if ci else None for middle, ci in ends],
        "arrayminus": [middle - ci[0] if ci else None for middle, ci in ends],
        "color": colors.faint,
        "thickness": 1.2,
        "width": 4,
    }


def _difference_color(row: LabelComparison, colors: Palette) -> str:
    if row.state != DIFFERENT:
        return colors.faint
    return colors.gain if (row.difference or 0.0) > 0 else colors.loss


def _difference_words(row: LabelComparison) -> str:
    if row.ci_corrected is None or row.p_corrected is None:
        return f"not tested: {row.why_untested}, n = {row.n:,}"
    low, high = row.ci_corrected
    return f"corrected interval {signed(low)} to {signed(high)}, corrected p {row.p_corrected:.3f}, n = {row.n:,}"


def target_chart(
    counts: pd.DataFrame, policy: Policy, dataset: str, colors: Palette, leads: Leads | None = None
) -> go.Figure:
    """Draw the positive rate that the loss sees for each label, beside the rate among the certain images.

    Args:
        counts: `label, value, dataset, images`, as the warehouse gives it.
        policy: the (u, w) of each label.
        dataset: the data set to count in.
        colors: the palette of the appearance.
        leads: the address that a click on a point leads to, to its uncertain images; None for none.
    """
    seen = positive_rates(counts, policy.u, policy.w, dataset, policy.blank_u, policy.blank_w)
    certain = positive_rates(counts, 0.0, 0.0, dataset)
    uncertain = value_counts(counts, dataset)["uncertain"]
    words = [label_words(label) for label in seen.index]
    chart = figure("Positive rate that the loss sees", colors, 540)
    chart.add_scatter(
        x=[x for pair in zip(certain, seen, strict=True) for x in (*pair, None)],
        y=[y for word in words for y in (word, word, None)],
        mode="lines",
        line={"color": colors.values["uncertain"], "width": 2},
        showlegend=False,
        hoverinfo="skip",
    )
    for rates, name, color, symbol in (
        (certain, "Certain images only (w = 0)", colors.faint, "circle-open"),
        (seen, "With this u and w", colors.values["uncertain"], "diamond"),
    ):
        chart.add_scatter(
            x=list(rates),
            y=words,
            customdata=[
                [percent(rate), leads(str(label), "uncertain") if leads and uncertain[str(label)] > 0 else ""]
                for label, rate in rates.items()
            ],
            mode="markers",
            name=name,
            marker={"color": color, "symbol": symbol, "size": 11},
            hovertemplate=f"%{{y}}: %{{customdata[0]}}<extra>{name}</extra>",
        )
    chart.update_xaxes(plain_axis("weighted share of positive targets", colors), tickformat=".0%", rangemode="tozero")
    chart.update_yaxes(label_axis(colors))
    chart.update_layout(margin={"l": 8, "r": 24, "t": 88, "b": 56})
    return chart
