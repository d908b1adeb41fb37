"""`doubts`: which labels are most likely wrong."""

import argparse

from cxr_core.commands.output import as_table, interval, reasons
from cxr_core.commands.parsing import Answer, Command, Parser
from cxr_core.errors import UsageError
from cxr_core.tasks.doubts import Doubts, HowRight, doubts
from cxr_core.words import counted

_SHOWN = 24


def _arguments(parser: Parser) -> None:
    add = parser.add_argument
    add("model", metavar="MODEL", help="a model with predictions of images that it was not trained on")
    add("--dataset", default="valid", help="valid or test (default %(default)s)")
    add("--view", help="only images of this view; without it, all that are predicted")
    add("--label", action="append", metavar="LABEL", help="only this label; several times for several")
    add("--judge", metavar="WHO", help="who knows which are wrong: truth (the default, where it is known), or readings")
    add("--limit", type=int, metavar="N", help="list only the first N (default all)")


def _execute(arguments: argparse.Namespace) -> Answer:
    if arguments.limit is not None and arguments.limit < 1:
        raise UsageError(f"The limit must be 1 or more. Received: {arguments.limit}.")
    labels = tuple(dict.fromkeys(arguments.label or ()))
    found = doubts(arguments.source, arguments.model, arguments.dataset, arguments.view, labels, arguments.judge)
    return Answer(found.as_json(arguments.limit), lambda: _text(found, arguments.limit or _SHOWN))


def _text(found: Doubts, most: int) -> str:
    shown = found.listed[:most]
    rows = [(one.path, one.label, one.value, one.expected, one.probability, one.wrong) for one in shown]
    headers = ("path", "label", "value", "expected", "chance of the value", f"wrong by {found.judge or 'nobody'}")
    head = f"{counted(found.right.n_doubtful, 'label')} in doubt on {found.dataset} by the scores of {found.model}"
    why = {label: {"doubts": one.found.why} for label, one in found.labels.items() if one.found.why}
    tail = "A ranking, not a verdict: look at the images."
    return "\n\n".join([head, as_table(headers, rows), *_precision(found), tail]) + reasons(why)


def _precision(found: Doubts) -> list[str]:
    """Return a table of how often the lists are right; none where nobody knows."""
    each = {label: one.right for label, one in found.labels.items()} | {"all labels": found.right}
    rows = [row for label, right in each.items() for row in _rows(label, right)]
    headers = ("label", "first", "judged", "wrong", "share wrong", "95 % interval", "of all labels")
    return [f"How many are wrong by {found.judge}\n\n{as_table(headers, rows)}"] if rows else []


def _rows(label: str, right: HowRight) -> list[tuple[object, ...]]:
    base = None if right.base is None else right.base.precision
    return [(label, one.k, one.n_judged, one.n_wrong, one.precision, interval(one.ci), base) for one in right.precision]


DOUBTS = Command("doubts", "List the labels that are most likely wrong.", _arguments, _execute)
