"""`seeds`: whether two trainings differ beyond what another seed, and other patients, would do."""

import argparse
from typing import Any

from cxr_core.commands.output import as_table, interval, p_value
from cxr_core.commands.parsing import Answer, Command, Parser
from cxr_core.schema import REPORT
from cxr_core.tasks.seed_words import seed_answer, seed_notes
from cxr_core.tasks.seeds import SeedComparison, compare_seeds


def _arguments(parser: Parser) -> None:
    add = parser.add_argument
    add("a", metavar="A", help="a model that was trained here; models that differ from it in the seed alone go with it")
    add("b", metavar="B", help="another one")
    add("--dataset", default="valid", help="train, valid or test (default %(default)s)")
    add("--view", help="only images of this view; without it, all that are predicted")
    add("--judge", default=REPORT, metavar="WHO", help="report, truth or a set of readings (default %(default)s)")


def _execute(arguments: argparse.Namespace) -> Answer:
    where = (arguments.dataset, arguments.view, arguments.judge)
    found = compare_seeds(arguments.source, arguments.a, arguments.b, *where)
    return Answer(found.as_json(), lambda: _text(found))


def _text(found: SeedComparison) -> str:
    told = found.as_json()
    asked = f"seeds for {told['asked_difference']:g}"
    headers = ("label", "AUC(A) - AUC(B)", "95 % interval", "p", "sd of seeds", asked)
    each = {"mean of the labels": told["mean"]} | told["labels"]
    table = as_table(headers, [_row(name, one) for name, one in each.items()])
    return "\n\n".join([seed_answer(found), table, *seed_notes(found)])


def _row(name: str, one: dict[str, Any]) -> tuple[object, ...]:
    ends, p = interval(one["ci"]), p_value(one["p"])
    return (name, one["difference"], ends, p, one["sd_of_seeds"], one["seeds_needed"])


SEEDS = Command("seeds", "Compare two trainings over their seeds.", _arguments, _execute)
