"""The command `meaning`: what the labels mean, counted by people who read the images."""

import argparse
from pathlib import Path

from cxr_core.commands.output import as_table, shown
from cxr_core.commands.parsing import Answer, Command, Parser
from cxr_core.schema import VALUES
from cxr_core.tasks.meaning import Meaning, meaning, write_policy

DEFAULT_W = 0.75


def _arguments(parser: Parser) -> None:
    add = parser.add_argument
    add("--set", metavar="NAME", help="the set of readings; the only one where it is not given")
    add("--dataset", metavar="NAME", help="only images of train, valid or test")
    add("--view", metavar="NAME", help="only images of this view")
    add("--write-policy", metavar="FILE", help="write a policy file whose u is each label's share among the uncertain")
    add("--w", type=float, default=DEFAULT_W, help="the weight of uncertain labels in it (default %(default)s)")
    add("--replace", action="store_true", help="replace a policy file that is there")


def _execute(arguments: argparse.Namespace) -> Answer:
    found = meaning(arguments.source, arguments.set, arguments.dataset, arguments.view)
    if arguments.write_policy:
        write_policy(found, Path(arguments.write_policy), arguments.w, arguments.replace)
    return Answer(found.as_json(), lambda: _text(found))


def _text(found: Meaning) -> str:
    rows = [
        (label, *(_share(found, label, value) for value in VALUES), shown(found.agreement[label].kappa))
        for label in found.labels
    ]
    head = f"Share present by the readers of {found.set}: {', '.join(found.readers)}"
    return f"{head}\n\n{as_table(('label', *VALUES, 'kappa'), rows)}"


def _share(found: Meaning, label: str, value: str) -> str:
    share = found.labels[label][value]
    return f"{shown(share.share)} ({share.n_present} of {share.n_read} read of {share.n})"


MEANING = Command("meaning", "Say which share of each label value readers call present.", _arguments, _execute)
