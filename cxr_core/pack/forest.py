"""Figures with a row for each label: AUC with intervals, differences of models, and shares at thresholds."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cxr_core.pack.document import Document
from cxr_core.pack.figures import FAINT, GRID, INK, WARM, framed, legend, lines_of
from cxr_core.schema import label_words

_ROW = 0.3


def areas(document: Document) -> Figure:
    """Draw the AUC of each model on each label with its interval."""
    lines = lines_of(document)
    labels = list(dict.fromkeys(label for model in document["models"] for label in model["labels"]))
    figure, (axis,) = _rows(labels, 1)
    for place, model in enumerate(document["models"]):
        found = model["evaluation"]["labels"]
        points = [(found[one]["roc_auc"], found[one]["roc_auc_ci"]) if one in found else (None, None) for one in labels]
        _points(axis, points, _shift(place, len(document["models"])), lines[model["name"]]["color"], model["name"])
    axis.axvline(0.5, color=FAINT, linestyle=":", linewidth=0.8)
    axis.set_xlabel("Area under the ROC curve, 95 % interval")
    legend(figure, axis)
    return figure


def differences(pair: Mapping[str, Any]) -> Figure:
    """Draw the differences of two models with corrected intervals; coloured where 0 is left out."""
    labels = [label for label, one in pair["labels"].items() if one["difference"] is not None]
    figure, (axis,) = _rows(labels, 1)
    for wanted, colour, name in ((True, WARM, "Told from 0"), (False, INK, "Not told from 0, or not tested")):
        found = [pair["labels"][label] for label in labels]
        told = [(one["state"] == "different") == wanted for one in found]
        points = [(one["difference"], one["ci_corrected"]) if is_it else (None, None)
                  for one, is_it in zip(found, told, strict=True)]  # fmt: skip
        _points(axis, points, 0, colour, name)
    axis.axvline(0, color=FAINT, linewidth=0.8)
    axis.set_xlabel(f"AUC({pair['a']}) − AUC({pair['b']}), corrected interval")
    legend(figure, axis)
    return figure


def shares(document: Document) -> Figure:
    """Draw sensitivity and specificity at the thresholds of the cards, with intervals."""
    lines = lines_of(document)
    models = [model for model in document["models"] if model["card"]]
    labels = list(dict.fromkeys(label for model in models for label in model["card"]["labels"]))
    figure, axes = _rows(labels, 2)
    for axis, share in zip(axes, ("sensitivity", "specificity"), strict=True):
        for place, model in enumerate(models):
            cuts = model["card"]["labels"]
            points = [(cuts[one][share], cuts[one][f"{share}_ci"]) if one in cuts else (None, None) for one in labels]
            _points(axis, points, _shift(place, len(models)), lines[model["name"]]["color"], model["name"])
        axis.set(xlabel=f"{share.capitalize()}, 95 % interval", xlim=(-0.02, 1.02))
    legend(figure, axes[0])
    return figure


def _shift(place: int, models: int) -> float:
    return 0.6 * ((place + 0.5) / models - 0.5)


def _rows(labels: Sequence[str], columns: int) -> tuple[Figure, list[Axes]]:
    height = _ROW * max(len(labels), 2) + 1.1
    figure = framed(height, left=1.6, bottom=0.75)
    axes = figure.subplots(1, columns, sharey=True, squeeze=False).ravel().tolist()
    axes[0].set_yticks(range(len(labels)), [label_words(label) for label in labels])
    axes[0].set_ylim(len(labels) - 0.5, -0.5)
    for axis in axes:
        axis.tick_params(axis="y", length=0, labelcolor=INK)
        axis.grid(visible=False, axis="y")
        axis.hlines([row + 0.5 for row in range(len(labels) - 1)], 0, 1, transform=axis.get_yaxis_transform(),
                    color=GRID, linewidth=0.5)  # fmt: skip
    return figure, axes


def _points(axis: Axes, points: Sequence[tuple[Any, Any]], shift: float, colour: str, name: str) -> None:
    """Draw a mark for each value that there is, a row each, and its interval where there is one."""
    rows = [row + shift for row, (value, _) in enumerate(points) if value is not None]
    axis.plot([value for value, _ in points if value is not None], rows, "o", color=colour, markersize=3, label=name)
    ends = [(row + shift, *ci) for row, (_, ci) in enumerate(points) if ci]
    axis.hlines([one[0] for one in ends], [one[1] for one in ends], [one[2] for one in ends], color=colour, linewidth=1)
