"""Threshold cards: where to cut a model's scores on each label, chosen on one data set, kept, and judged on others."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cxr_core
from cxr_core.atomic import write_text
from cxr_core.caller import RESEARCHER, require
from cxr_core.errors import ExistsError, TableError, UnknownNameError, UsageError
from cxr_core.evaluation.recalibration import Recalibration
from cxr_core.evaluation.score_shift import percentiles, score_shift
from cxr_core.schema import NAME_PATTERN, REPORT, check_name
from cxr_core.sources.registry import get_source
from cxr_core.tasks.judged_cut import JudgedCut
from cxr_core.tasks.judging import joined_predictions
from cxr_core.tasks.label_curves import LabelCurves, curves_of
from cxr_core.tasks.recalibrated import fitted_recalibration, judged_recalibration
from cxr_core.tasks.threshold_rules import Rule, parse_rule
from cxr_core.warehouse.answers import Joined

__all__ = [
    "Card", "JudgedCut", "Rule", "card_file", "cards", "choose_thresholds", "judged_at", "made_card", "parse_rule",
    "read_card", "rows_for_card",
]  # fmt: skip

FOLDER = "thresholds"
NO_THRESHOLD = "the card has no threshold for this label"


@dataclass(frozen=True)
class Card:
    """A card as it is kept: the thresholds by label (None where the rule has none there), and how they came about."""

    card: str
    model: str
    source: str
    scale: str
    rule: Rule
    on: str
    view: str | None
    judge: str
    thresholds: dict[str, float | None]
    cuts: dict[str, JudgedCut] = field(default_factory=dict, compare=False)
    recalibrations: dict[str, Recalibration] = field(default_factory=dict)
    percentiles: dict[str, list[float]] = field(default_factory=dict, compare=False)

    def as_json(self) -> dict[str, Any]:
        """Return what `thresholds --json` prints and the file holds."""
        return {
            "card": self.card,
            "model": self.model,
            "source": self.source,
            "scale": self.scale,
            "rule": str(self.rule),
            "on": self.on,
            "view": self.view,
            "judge": self.judge,
            "version": cxr_core.__version__,
            "labels": {label: cut.as_json() | self._further(label) for label, cut in self.cuts.items()},
        }

    def _further(self, label: str) -> dict[str, Any]:
        fitted = self.recalibrations.get(label)
        return ({"recalibration": fitted.as_json()} if fitted else {}) | {
            "percentiles": self.percentiles.get(label, [])
        }


def choose_thresholds(
    source_name: str,
    model: str,
    rule: Rule,
    on: str = "valid",
    view: str | None = None,
    judge: str = REPORT,
    card: str | None = None,
    replace: bool = False,
    recalibrate: str | None = None,
) -> Card:
    """Choose a threshold for each label of a model on one data set, and keep them as a card of the source.

    The figures of the card are of the rows that it was chosen on, and so optimistic: judge it on others.

    Args:
        source_name: the source.
        model: a model with predictions.
        rule: how to choose.
        on: the data set.
        view: only images of this view, or all that are predicted.
        judge: who says what is positive.
        card: the card's name; made of model and rule where it is not given.
        replace: whether a card of that name is replaced.
        recalibrate: `platt` or `isotonic`, fitted to the same rows and kept beside the thresholds; None for neither.

    Raises:
        ExistsError, UsageError: there is a card of that name, or the name is not legal; all that `evaluate` raises.
    """
    require(RESEARCHER, "keep thresholds")
    name = check_name("card", card or f"{model}-{str(rule).replace('=', '-')}")
    file = card_file(source_name, name)
    if file.exists() and not replace:
        raise ExistsError(f"There is a card {name} already. Use --replace to replace it, or another --name.")
    made = made_card(source_name, model, rule, on, view, judge, name, recalibrate)
    write_text(file, json.dumps(made.as_json(), indent=1) + "\n")
    return made


def made_card(
    source_name: str,
    model: str,
    rule: Rule,
    on: str,
    view: str | None,
    judge: str = REPORT,
    name: str = "",
    recalibrate: str | None = None,
) -> Card:
    """Return the card that `choose_thresholds` keeps, without keeping it."""
    joined = joined_predictions(source_name, model, on, view, judge)
    each = {label: curves_of(joined, model, label) for label in joined.labels}
    cuts = {label: _chosen(curves, rule) for label, curves in each.items()}
    thresholds = {label: cut.threshold for label, cut in cuts.items()}
    fitted = {label: fitted_recalibration(one, recalibrate)[0] for label, one in each.items()} if recalibrate else {}
    kept = {label: one for label, one in fitted.items() if one is not None}
    steps = {label: percentiles(one.rows.scores) for label, one in each.items()}
    return Card(name, model, source_name, joined.scale, rule, on, view, judge, thresholds, cuts, kept, steps)


def read_card(source_name: str, name: str) -> Card:
    """Return a card of a source, or of a file that ends in .json, as an exported model brings it along.

    Raises:
        UnknownNameError: there is no such card.
        UsageError: there is no such file.
        TableError: its file is damaged.
    """
    kept = card_file(source_name, name) if NAME_PATTERN.fullmatch(name) else None
    if kept is not None and kept.is_file():
        return _read(kept)
    if not name.endswith(".json"):
        raise UnknownNameError("card", check_name("card", name), cards(source_name))
    file = Path(name).absolute()
    if not file.is_file():
        raise UsageError(f"The card {file} does not exist. Name a card of the source, or another file.")
    return _read(file)


def _read(file: Path) -> Card:
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        cuts = {label: cut["threshold"] for label, cut in kept["labels"].items()}
        thresholds = {label: None if cut is None else float(cut) for label, cut in cuts.items()}
        rule = parse_rule(kept["rule"])
        card, model, source, scale, on, judge = (
            str(kept[key]) for key in ("card", "model", "source", "scale", "on", "judge")
        )
        labels = kept["labels"].items()
        fitted = {key: Recalibration.from_json(cut["recalibration"]) for key, cut in labels if "recalibration" in cut}
        steps = {key: [float(one) for one in cut.get("percentiles", [])] for key, cut in labels}
        return Card(card, model, source, scale, rule, on, kept["view"], judge, thresholds, {}, fitted, steps)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
        raise TableError(f"The card {file} is damaged: {error}. Choose the thresholds anew.") from error


def cards(source_name: str) -> list[str]:
    """Return the names of a source's cards, sorted."""
    found = (file.stem for file in (get_source(source_name).folder / FOLDER).glob("*.json"))
    return sorted(name for name in found if NAME_PATTERN.fullmatch(name))


def judged_at(
    card: Card, source_name: str, model: str, dataset: str, view: str | None, judge: str
) -> dict[str, JudgedCut]:
    """Return what a card's thresholds do on other images, by label.

    Raises:
        UsageError: the card is of another model, or of scores on another scale.
    """
    joined = rows_for_card(card, source_name, model, dataset, view, judge)
    return {label: _at(curves_of(joined, model, label), card) for label in joined.labels}


def rows_for_card(card: Card, source_name: str, model: str, dataset: str, view: str | None, judge: str) -> Joined:
    """Return the rows on which a card's thresholds are judged.

    Raises:
        UsageError: the card is of another model, or of scores on another scale.
    """
    _check_model(card, model)
    joined = joined_predictions(source_name, model, dataset, view, judge)
    check_fits(card, model, joined)
    return joined


def check_fits(card: Card, model: str, joined: Joined) -> None:
    """Raise `UsageError` when a card is of another model than the rows, or of scores on another scale."""
    _check_model(card, model)
    if joined.scale != card.scale:
        raise UsageError(
            f"The card {card.card} cuts {card.scale}s, but the predictions of {model} are {joined.scale}s now. "
            "Choose the thresholds anew."
        )


def _check_model(card: Card, model: str) -> None:
    if card.model != model:
        raise UsageError(f"The card {card.card} is of the model {card.model}. Received: {model}.")


def _chosen(curves: LabelCurves, rule: Rule) -> JudgedCut:
    threshold = curves.threshold(rule.name, rule.wanted)
    if threshold is None:
        return JudgedCut(None, None, {"threshold": curves.why.get("roc_auc", "only one class is there")})
    return JudgedCut(threshold, curves.operating_point(threshold))


def _at(curves: LabelCurves, card: Card) -> JudgedCut:
    threshold, fitted = card.thresholds.get(curves.label), card.recalibrations.get(curves.label)
    recalibrated = None if fitted is None else judged_recalibration(curves, fitted)
    if threshold is None:
        return JudgedCut(None, None, {"threshold": NO_THRESHOLD}, recalibrated)
    if curves.rows.why:
        return JudgedCut(threshold, None, {"threshold": curves.rows.why}, recalibrated)
    point, called = curves.operating_point(threshold), curves.shares_above(threshold)
    moved = score_shift(card.percentiles.get(curves.label, []), curves.rows.scores)
    return JudgedCut(threshold, point, {}, recalibrated, called, moved)


def card_file(source_name: str, name: str) -> Path:
    """Return where a card is kept."""
    return get_source(source_name).folder / FOLDER / f"{name}.json"
