"""`thresholds`: where to cut a model's scores, and what a card does, as text."""

import argparse
from collections.abc import Mapping
from typing import Any

from cxr_core.commands.output import as_table, interval, reasons
from cxr_core.commands.parsing import Answer, Command, Parser
from cxr_core.errors import UsageError
from cxr_core.schema import REPORT
from cxr_core.tasks.threshold_cards import Card, JudgedCut, choose_thresholds, parse_rule


def _threshold_arguments(parser: Parser) -> None:
    add = parser.add_argument
    add("model", metavar="MODEL", help="a model with predictions")
    rules = "sensitivity=X, specificity=X, alarms=X (at most so many per 100 images), youden or f1"
    add("--rule", required=True, help=rules)
    add("--on", default="valid", metavar="NAME", help="the data set to choose on (default %(default)s)")
    add("--view", help="only images of this view; without it, all that are predicted")
    add("--judge", default=REPORT, metavar="WHO", help="report, truth, or a set of readings (default %(default)s)")
    add("--name", metavar="CARD", help="of the card; made of model and rule where it is not given")
    add("--recalibrate", metavar="HOW", help="also make probabilities right on these images: platt or isotonic")
    add("--replace", action="store_true", help="replace a card of that name")


def _thresholds(arguments: argparse.Namespace) -> Answer:
    rule = parse_rule(arguments.rule)
    where = (arguments.on, arguments.view, arguments.judge)
    kept = (arguments.name, arguments.replace, arguments.recalibrate)
    card = choose_thresholds(arguments.source, arguments.model, rule, *where, *kept)
    return Answer(card.as_json(), lambda: cuts_text(card, card.cuts))


def alarms(cut: JudgedCut, images_a_day: int | None) -> dict[str, Any]:
    """Return the alarms in a day under the names that scripts rely on; nothing where no volume is named.

    Raises:
        UsageError: the volume is below 1.
    """
    if images_a_day is None:
        return {}
    if images_a_day < 1:
        raise UsageError(f"The images of a day must be 1 or more. Received: {images_a_day}.")
    return cut.alarms_a_day(images_a_day)


def cuts_text(card: Card, cuts: Mapping[str, JudgedCut], images_a_day: int | None = None) -> str:
    """Return what the thresholds of a card do, and what its recalibration does, as text."""
    headers = ["label", "threshold", "sensitivity", "95 % interval", "specificity", "95 % interval", "PPV", "NPV"]
    counted = {"alarms_per_100": "alarms per 100", "false_alarms_a_day": f"false alarms at {images_a_day} a day"}
    documents = {label: cut.as_json() | alarms(cut, images_a_day) for label, cut in cuts.items()}
    shown = [name for name in counted if images_a_day is not None or name == "alarms_per_100"]
    headers += [head for name in shown for head in (counted[name], "95 % interval")]
    rows = [
        (
            *(label, one["threshold"], one["sensitivity"], interval(one["sensitivity_ci"]), one["specificity"]),
            *(interval(one["specificity_ci"]), one["ppv"], one["npv"]),
            *(cell for name in shown for cell in _alarms(one, name)),
            one["n"],
        )
        for label, one in documents.items()
    ]
    head = f"Card {card.card}: {card.rule} of {card.model}, chosen on {card.on} as judged by {card.judge}"
    missing = reasons({label: one["why"] for label, one in documents.items()})
    said = f"{head}\n\n{as_table((*headers, 'n'), rows)}{missing}"
    after = [_recalibrated(label, one["recalibrated"]) for label, one in documents.items() if "recalibrated" in one]
    heads = ("label", "recalibrated", "slope", "after", "O:E", "after", "Brier", "after")
    return f"{said}\n\n{as_table(heads, after)}" if after else said


def _alarms(one: Mapping[str, Any], name: str) -> tuple[str, str]:
    value, ends = one[name], one[f"{name}_ci"]
    return "-" if value is None else f"{value:.1f}", "-" if ends is None else f"{ends[0]:.1f} to {ends[1]:.1f}"


def _recalibrated(label: str, one: Mapping[str, Any]) -> list[Any]:
    figures = ("slope", "observed_to_expected", "brier")
    return [label, one["method"], *(one[side].get(name) for name in figures for side in ("before", "after"))]


THRESHOLDS = Command("thresholds", "Choose where to cut a model's scores.", _threshold_arguments, _thresholds)
