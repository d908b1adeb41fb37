"""Figures with a panel for each label: ROC, precision-recall, calibration, decision curve."""

from collections.abc import Callable, Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cxr_core.pack.document import Document
from cxr_core.pack.figures import FAINT, legend, lines_of, name_axes, panels
from cxr_core.schema import label_words

Model = Mapping[str, Any]
_UNIT = (-0.02, 1.02)


def roc(document: Document) -> Figure:
    """Draw the ROC curves of all models."""
    lines = lines_of(document)

    def draw(axis: Axes, model: Model, label: str) -> None:
        x, y = model["labels"][label]["curves"]["roc"]
        axis.plot(x, y, label=model["name"], **lines[model["name"]])

    def ground(axis: Axes, _label: str) -> None:
        axis.plot([0, 1], [0, 1], color=FAINT, linestyle=":", linewidth=0.7)

    return _square(document, "False positive rate", "Sensitivity", draw, ground)


def precision_recall(document: Document) -> Figure:
    """Draw the precision-recall curves of all models; the dotted line is the prevalence of the first."""
    lines = lines_of(document)

    def draw(axis: Axes, model: Model, label: str) -> None:
        x, y = model["labels"][label]["curves"]["pr"]
        axis.step([*x, 0.0], [*y, y[-1]], where="post", label=model["name"], **lines[model["name"]])

    def ground(axis: Axes, label: str) -> None:
        first = next(model for model in document["models"] if _curves(model, label))
        axis.axhline(first["labels"][label]["curves"]["prevalence"], color=FAINT, linestyle=":", linewidth=0.7)

    return _square(document, "Recall", "Precision", draw, ground)


def calibration(document: Document) -> Figure:
    """Draw the observed share of positives beside the mean predicted probability of each bin."""
    lines = lines_of(document)

    def draw(axis: Axes, model: Model, label: str) -> None:
        bins = model["labels"][label]["details"]["reliability"]["bins"]
        style = lines[model["name"]]
        axis.plot([b["mean_predicted"] for b in bins], [b["observed"] for b in bins], label=model["name"], **style)
        known = [b for b in bins if b["observed_ci"]]
        axis.vlines(
            [b["mean_predicted"] for b in known],
            [b["observed_ci"][0] for b in known],
            [b["observed_ci"][1] for b in known],
            color=style["color"],
            linewidth=0.6,
        )
        # Where the images are: a mark for each bin at the foot of the panel.
        axis.plot([b["mean_predicted"] for b in bins], [0] * len(bins), "|", color=style["color"], markersize=4)

    def ground(axis: Axes, _label: str) -> None:
        axis.plot([0, 1], [0, 1], color=FAINT, linestyle=":", linewidth=0.7)

    return _square(document, "Predicted probability", "Observed share", draw, ground, _has_bins)


def decision(document: Document) -> Figure:
    """Draw the net benefit of acting on each model's probabilities, on everybody, and on nobody."""
    lines = lines_of(document)

    def draw(axis: Axes, model: Model, label: str) -> None:
        points = model["labels"][label]["details"]["decision_curve"]
        x, style = [one["threshold"] for one in points], lines[model["name"]]
        axis.plot(x, [one["net_benefit"] for one in points], label=model["name"], **style)
        known = [one for one in points if one["net_benefit_ci"]]
        low, high = ([one["net_benefit_ci"][end] for one in known] for end in (0, 1))
        axis.fill_between([one["threshold"] for one in known], low, high, color=style["color"], alpha=0.15, linewidth=0)

    def ground(axis: Axes, label: str) -> None:
        first = next(model for model in document["models"] if _has_benefits(model, label))
        points = first["labels"][label]["details"]["decision_curve"]
        everybody = [one["treat_all"] for one in points]
        axis.plot([one["threshold"] for one in points], everybody, color=FAINT, linestyle="--", label="Acting on all")
        axis.axhline(0, color=FAINT, linestyle=":", label="Acting on nobody")
        top = max([one["net_benefit"] for one in points] + everybody + [0.01])
        axis.set_ylim(-0.35 * top, 1.15 * top)

    return _figure(document, ("Threshold probability", "Net benefit"), draw, ground, _has_benefits)


def _curves(model: Model, label: str) -> bool:
    return bool(model["labels"].get(label, {}).get("curves"))


def _has_bins(model: Model, label: str) -> bool:
    return label in model["labels"] and bool(model["labels"][label]["details"]["reliability"]["bins"])


def _has_benefits(model: Model, label: str) -> bool:
    return label in model["labels"] and bool(model["labels"][label]["details"]["decision_curve"])


Draw = Callable[[Axes, Model, str], None]
Ground = Callable[[Axes, str], None]
Has = Callable[[Model, str], bool]


def _square(document: Document, x: str, y: str, draw: Draw, ground: Ground, has: Has = _curves) -> Figure:
    figure = _figure(document, (x, y), draw, ground, has)
    for axis in figure.axes:
        if axis.axison:
            axis.set(xlim=_UNIT, ylim=_UNIT, aspect="equal", xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    return figure


def _figure(document: Document, names: tuple[str, str], draw: Draw, ground: Ground, has: Has) -> Figure:
    """Return a figure with a panel for each label of which a model has something to draw."""
    labels = [
        label
        for label in dict.fromkeys(label for model in document["models"] for label in model["labels"])
        if any(has(model, label) for model in document["models"])
    ]
    figure, axes = panels([label_words(label) for label in labels])
    for axis, label in zip(axes, labels, strict=True):
        for model in document["models"]:
            if has(model, label):
                draw(axis, model, label)
        ground(axis, label)
    if axes:
        name_axes(axes, *names)
        legend(figure, axes[0])
    return figure
