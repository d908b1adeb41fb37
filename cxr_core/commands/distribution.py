"""`distribution`: how the values spread over the labels, and what else the label tables tell."""

import argparse
from typing import Any

from cxr_core.commands.output import as_table, flattened, shown
from cxr_core.commands.parsing import Answer, Command, Parser
from cxr_core.errors import UsageError
from cxr_core.uncertainty import uniform_policy

_UNITS = ("images", "studies", "patients")
#: What the form of a training stands at.
_U, _W = 0.4, 0.75


def _arguments(parser: Parser) -> None:
    add = parser.add_argument
    add("--view", default="frontal", help="frontal, lateral or other")
    add(
        "--details",
        action="store_true",
        help="sizes, shares, uncertain per positive, and the positive rate that the loss sees under --u and --w",
    )
    add("--unit", default="images", help="with --details: what is counted, images, studies or patients")
    add("--u", type=float, default=_U, help="with --details: the target of uncertain labels (default %(default)s)")
    add("--w", type=float, default=_W, help="with --details: their weight (default %(default)s)")
    add("--pairs", metavar="VALUE", help="on how many images two labels both have this value")
    add("--dataset", default="train", help="with --pairs: train, valid or test (default %(default)s)")


def _execute(given: argparse.Namespace) -> Answer:
    from cxr_core.tasks.label_facts import label_facts, label_pairs

    if given.pairs and given.details:
        raise UsageError("--details and --pairs are two questions. Ask one at a time.")
    if given.unit not in _UNITS:
        raise UsageError(f"The unit must be {', '.join(_UNITS)}. Received: {given.unit}.")
    if given.pairs:
        pairs = label_pairs(given.source, given.view, given.pairs, given.dataset)
        return Answer(pairs, lambda: _pairs_text(pairs))
    if given.details:
        facts = label_facts(given.source, given.view, uniform_policy(given.u, given.w), given.unit)
        return Answer(facts, lambda: _facts_text(facts))
    return _rows(given)


def _rows(given: argparse.Namespace) -> Answer:
    from cxr_core.tasks.distribution import distribution, present_datasets, value_counts

    table = distribution(given.source, given.view)
    rows: list[dict[str, Any]] = [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]

    def text() -> str:
        parts = []
        for dataset in present_datasets(table):
            counts = value_counts(table, dataset)
            lines = ((label, *map(int, counts.loc[label])) for label in counts.index)
            parts.append(as_table((f"{dataset}, {given.view}", *counts.columns), lines))
        return "\n\n".join(parts)

    return Answer(rows, text)


def _pairs_text(pairs: dict[str, Any]) -> str:
    rows = [one for one in pairs["pairs"] if one["share"]]
    rows.sort(key=lambda one: -one["share"])
    lines = [(one["label"], one["other"], one["images"], one["share"]) for one in rows]
    head = f"Both {pairs['value']} in {pairs['dataset']}; the share is of the images of the first"
    return f"{head}\n\n{as_table(('label', 'other', 'images', 'share'), lines)}"


def _facts_text(facts: dict[str, Any]) -> str:
    sizes = facts["counts"]
    parts = [as_table(tuple(sizes[0]), [tuple(row.values()) for row in sizes])] if sizes else []
    for dataset, of in facts["datasets"].items():
        flat = {label: flattened(one) for label, one in of["labels"].items()}
        names = list(dict.fromkeys(name for one in flat.values() for name in one))
        parts.append(as_table((dataset, *names), [(label, *map(one.get, names)) for label, one in flat.items()]))
    apart = shown(facts["patients_in_several_datasets"])
    return "\n\n".join([*parts, f"Patients in several data sets: {apart}. Policy: {facts['policy']}."])


DISTRIBUTION = Command("distribution", "Count the images by label, value and data set.", _arguments, _execute)
