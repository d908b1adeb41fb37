"""The command `meaning`: what the labels mean, counted by people who read the images."""

import argparse
from pathlib import Path
from typing import Any

from cxr_core.commands.output import as_table, shown
from cxr_core.commands.parsing import Answer, Command, Parser
from cxr_core.schema import VALUES
from cxr_core.tasks.meaning import Meaning, meaning, reading_sets, write_policy
from cxr_core.tasks.meaning_by_model import MeaningByModel, meaning_by_model

DEFAULT_W = 0.75


def _arguments(parser: Parser) -> None:
    add = parser.add_argument
    add("--set", metavar="NAME", help="the set of readings; the only one where it is not given")
    add("--dataset", metavar="NAME", help="only images of train, valid or test")
    add("--view", metavar="NAME", help="only images of this view")
    add("--model", metavar="NAME", help="also what this model adds: narrower shares, and a range where nobody read")
    add("--write-policy", metavar="FILE", help="write a policy file whose u is each label's share among the uncertain")
    add("--w", type=float, default=DEFAULT_W, help="the weight of uncertain labels in it (default %(default)s)")
    add("--blanks", action="store_true", help="let it also say the share among the images that are not mentioned")
    add("--replace", action="store_true", help="replace a policy file that is there")


def _execute(arguments: argparse.Namespace) -> Answer:
    where = (arguments.dataset, arguments.view)
    if arguments.model and not arguments.set and not reading_sets(arguments.source):
        alone = meaning_by_model(arguments.source, arguments.model, None, *where)
        nobody = {"set": None, "dataset": where[0], "view": where[1], "readers": [], "labels": {}, "agreement": {}}
        return Answer(nobody | {"by_model": alone.as_json()}, lambda: _model_text(alone))
    found = meaning(arguments.source, arguments.set, *where)
    if arguments.write_policy:
        write_policy(found, Path(arguments.write_policy), arguments.w, arguments.replace, arguments.blanks)
    if not arguments.model:
        return Answer(found.as_json(), lambda: _text(found))
    helped = meaning_by_model(arguments.source, arguments.model, found.set, *where)
    document = found.as_json() | {"by_model": helped.as_json()}
    return Answer(document, lambda: f"{_text(found)}\n\n{_model_text(helped)}")


def _text(found: Meaning) -> str:
    rows = [
        (label, *(_share(found, label, value) for value in VALUES), shown(found.agreement[label].kappa))
        for label in found.labels
    ]
    head = f"Share present by the readers of {found.set}: {', '.join(found.readers)}"
    return f"{head}\n\n{as_table(('label', *VALUES, 'kappa'), rows)}"


def _model_text(found: MeaningByModel) -> str:
    """Return the shares among the uncertain with the model's help, and both ends of the range without readings."""
    rows = []
    for label, of_label in found.as_json()["labels"].items():
        helped, alone = of_label["helped"].get("uncertain"), of_label["without_readings"]
        shown_help = helped if helped and helped["narrower"] else None
        rows.append(
            (label, alone["n"], *(_estimate(one) for one in (shown_help, alone["by_image"], alone["by_truth"])))
        )
    headers = ("label", "uncertain", "with its help", "if hedging is by the image", "if absent ones are hedged alike")
    return f"Present among the uncertain by {found.model}, {found.n:,} images\n\n{as_table(headers, rows)}"


def _estimate(one: dict[str, Any] | None) -> str:
    if one is None:
        return "-"
    return f"{shown(one['share'])} ({shown(one['share_ci'][0])} to {shown(one['share_ci'][1])})"


def _share(found: Meaning, label: str, value: str) -> str:
    share = found.labels[label][value]
    aside = f", {share.n_set_aside} set aside" if share.n_set_aside else ""
    return f"{shown(share.share)} ({share.n_present} of {share.n_read} read{aside} of {share.n})"


MEANING = Command("meaning", "Say which share of each label value readers call present.", _arguments, _execute)
