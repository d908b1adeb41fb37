"""The gaps between groups as two matrices, of sensitivity and of specificity: labels beside groups."""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from cxr_core.pack.figures import FAINT, INK, framed
from cxr_core.pack.group_tables import SHARES
from cxr_core.schema import label_words

#: Worse, alike, better: colours that are told apart by people who see few of them.
_COLOURS = LinearSegmentedColormap.from_list("gaps", ["#E08A3C", "#FFFFFF", "#5B9BC8"])
_LARGEST = 0.3
#: A corrected p below this has a star.
_LEVEL = 0.05
_ROW = 0.24


def gap_matrices(gaps: Mapping[str, Any]) -> Figure:
    """Draw the gap of each group to all other images; a star where the corrected p is below .05."""
    labels, groups = list(gaps["labels"]), gaps["groups"]
    figure = framed(_ROW * max(len(labels), 2) + 1.5, left=1.5, bottom=1.15)
    axes = figure.subplots(1, len(SHARES), sharey=True)
    for axis, share in zip(axes, SHARES, strict=True):
        _matrix(axis, gaps, share)
        axis.set_title(f"{share.capitalize()}, group minus all others", loc="left")
        axis.set_xticks(range(len(groups)), groups, rotation=40, ha="right", rotation_mode="anchor")
    axes[0].set_yticks(range(len(labels)), [label_words(label) for label in labels])
    return figure


def _matrix(axis: Axes, gaps: Mapping[str, Any], share: str) -> None:
    rows, groups = list(gaps["labels"].values()), gaps["groups"]
    values = [[row[group]["gap"][share] for group in groups] for row in rows]
    shown = [[0.0 if value is None else value for value in row] for row in values]
    edges = [[place - 0.5 for place in range(many + 1)] for many in (len(groups), len(rows))]
    axis.pcolormesh(*edges, shown, cmap=_COLOURS, vmin=-_LARGEST, vmax=_LARGEST, edgecolor="white", linewidth=0.6)
    axis.set_ylim(len(rows) - 0.5, -0.5)
    for y, row in enumerate(rows):
        for x, group in enumerate(groups):
            axis.text(x, y, _words(row[group], share), ha="center", va="center", color=INK, fontsize=_size(groups))
    axis.grid(visible=False)
    axis.tick_params(length=0, labelcolor=INK)
    for edge in axis.spines.values():
        edge.set_visible(True)
        edge.set_color(FAINT)


def _words(cell: Mapping[str, Any], share: str) -> str:
    value, p = cell["gap"][share], cell["p_corrected"][share]
    if value is None:
        return "–"
    return f"{round(value, 2) + 0.0:+.2f}".replace("-", "−") + ("*" if p is not None and p < _LEVEL else "")


def _size(groups: list[str]) -> float:
    return max(3.0, min(6.0, 42 / len(groups)))
