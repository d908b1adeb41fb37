"""Cards of thresholds as they are kept: a file of the source each, or one that an exported model brings along."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cxr_core
from cxr_core.errors import TableError, UnknownNameError, UsageError
from cxr_core.evaluation.recalibration import Recalibration
from cxr_core.schema import NAME_PATTERN, check_name
from cxr_core.sources.registry import get_source
from cxr_core.tasks.judged_cut import JudgedCut
from cxr_core.tasks.threshold_rules import Rule, parse_rule

FOLDER = "thresholds"
NO_THRESHOLD = "the card has no threshold for this label"


@dataclass(frozen=True)
class Card:
    """A card as it is kept: the thresholds by label (None where the rule has none there), and how they came about.

    `unmet` says by label why the rule chose none where it looked, or one that calls nothing there positive.
    """

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
    unmet: dict[str, str] = field(default_factory=dict)
    version: str = cxr_core.__version__

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
            "version": self.version,
            "labels": {label: cut.as_json() | self._further(label) for label, cut in self.cuts.items()},
        }

    def why_no_threshold(self, label: str) -> str:
        """Return why the card does not cut a label."""
        return f"{NO_THRESHOLD}: {self.unmet[label]} in {self.on}" if label in self.unmet else NO_THRESHOLD

    def _further(self, label: str) -> dict[str, Any]:
        fitted = self.recalibrations.get(label)
        return ({"recalibration": fitted.as_json()} if fitted else {}) | {
            "percentiles": self.percentiles.get(label, [])
        }


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
        unmet = {key: str(why) for key, cut in labels if (why := unmet_of(cut.get("why", {})))}
        about = (card, model, source, scale, rule, on, kept["view"], judge)
        return Card(*about, thresholds, {}, fitted, steps, unmet, str(kept.get("version", "")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
        raise TableError(f"The card {file} is damaged: {error}. Choose the thresholds anew.") from error


def cards(source_name: str) -> list[str]:
    """Return the names of a source's cards, sorted."""
    found = (file.stem for file in (get_source(source_name).folder / FOLDER).glob("*.json"))
    return sorted(name for name in found if NAME_PATTERN.fullmatch(name))


def unmet_of(why: dict[str, str]) -> str | None:
    """Return which of the reasons of a cut says that the rule is not met, or is met by calling nothing positive."""
    return why.get("threshold") or why.get("rule")


def card_file(source_name: str, name: str) -> Path:
    """Return where a card is kept."""
    return get_source(source_name).folder / FOLDER / f"{name}.json"
