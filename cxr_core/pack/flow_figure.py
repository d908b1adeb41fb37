"""The participants' flow as a figure: boxes of what is there, and beside the way what is left out and why."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cxr_core.pack.figures import FAINT, INK
from cxr_core.words import counted

_BOX = {"boxstyle": "square,pad=0.5", "facecolor": "white", "edgecolor": FAINT, "linewidth": 0.8}


def flow(steps: Sequence[Mapping[str, Any]], dataset: str) -> Figure:
    """Draw the steps from the labelled images of a data set to the judged ones."""
    figure = Figure(figsize=(6.2, 1.25 * len(steps) + 0.1))
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set(xlim=(0, 1), ylim=(-len(steps) + 0.45, 0.55))
    axis.set_axis_off()
    for place, step in enumerate(steps):
        words = f"{step['what']} ({dataset})" if place == 0 else step["what"]
        axis.text(0.27, -place, f"{words}\n{_counts(step)}", ha="center", va="center", bbox=_BOX)
        if place:
            _arrow(axis, (0.27, -place + 0.72), (0.27, -place + 0.25))
        if step["left_out"]:
            lines = [f"{one['why']}: {_counts(one)}" for one in step["left_out"]]
            _arrow(axis, (0.27, -place - 0.5), (0.545, -place - 0.5))
            axis.text(
                0.56, -place - 0.5, "\n".join(["Left out", *lines]), ha="left", va="center", fontsize=6, bbox=_BOX
            )
    return figure


def _counts(step: Mapping[str, Any]) -> str:
    images, studies, patients = (step[unit] for unit in ("images", "studies", "patients"))
    return f"{counted(images, 'image')}, {counted(studies, 'study')}, {counted(patients, 'patient')}"


def _arrow(axis: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    style = {"arrowstyle": "-|>", "color": INK, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
    axis.annotate("", end, start, arrowprops=style)
