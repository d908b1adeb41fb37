"""`train` and `sweep`: from the options of the command line to one training run, or to several."""

import argparse
from dataclasses import replace
from typing import Any

from cxr_core.commands.parsing import Answer, Command, Parser
from cxr_core.commands.runs import ON_HELP, awaited, run_text
from cxr_core.errors import UsageError
from cxr_core.runs import service
from cxr_core.runs.run import HERE
from cxr_core.runs.store import Run
from cxr_core.tasks.families import await_children, start_repeat, start_sweep
from cxr_core.tasks.policy_choice import CHOICES, policy_choice
from cxr_core.tasks.train import start_training
from cxr_core.tasks.training_plan import training_defaults
from cxr_core.training.option import Option
from cxr_core.training.options import OPTIONS, TrainOptions
from cxr_core.uncertainty import DEFAULT_POLICY, Policy, uniform_policy

_U, _W = DEFAULT_POLICY.u[0], DEFAULT_POLICY.w[0]


def _arguments(parser: Parser) -> None:
    """Add the options; none has a default here, because the defaults depend on the source."""
    parser.argument_default = argparse.SUPPRESS
    add = parser.add_argument
    add("--u", type=float, help=f"probability of positive that an uncertain label stands for (default {_U:g})")
    add("--w", type=float, help=f"weight of uncertain labels in the loss (default {_W:g})")
    add(
        "--policy",
        metavar="NAME|FILE",
        help=f"in place of --u and --w: {', '.join(CHOICES)}, or a TOML or JSON file with an entry for each label",
    )
    _shared_arguments(parser)


def _sweep_arguments(parser: Parser) -> None:
    parser.argument_default = argparse.SUPPRESS
    add = parser.add_argument
    add("--u", type=float, nargs="+", required=True, metavar="U", help="targets of uncertain labels, each from 0 to 1")
    add("--w", type=float, nargs="+", required=True, metavar="W", help="weights of uncertain labels, each from 0 to 1")
    _shared_arguments(parser)


def _shared_arguments(parser: Parser) -> None:
    for option in OPTIONS:
        _add(parser, option)
    add = parser.add_argument
    add("--repeat", type=int, default=1, metavar="N", help="train N times, with this seed and those that follow it")
    add("--on", metavar="PLACE", default=HERE, help=ON_HELP)
    add("--detach", action="store_true", default=False, help="return at once; the run goes on in the background")


def _add(parser: Parser, option: Option) -> None:
    told = option.described().replace("%", "%%")
    if option.rule.kind is bool:
        parser.add_argument(option.flag, action="store_true", help=told)
    else:
        parser.add_argument(option.flag, type=option.rule.kind, metavar=option.metavar or None, help=told)


def _execute(arguments: argparse.Namespace) -> Answer:
    source, repeat = arguments.source, arguments.repeat
    options = replace(_options(arguments), policy=_policy(arguments))
    if repeat != 1:
        return _answer(
            await_children(start_repeat(source, options, repeat, confined=False, place=arguments.on)), arguments.detach
        )
    return _answer(start_training(source, options, confined=False, place=arguments.on), arguments.detach)


def _execute_sweep(arguments: argparse.Namespace) -> Answer:
    options = _options(arguments)
    us, ws = arguments.u, arguments.w
    plain = replace(options, name="")
    place = arguments.on
    run = start_sweep(arguments.source, plain, us, ws, arguments.repeat, options.name, confined=False, place=place)
    return _answer(await_children(run), arguments.detach)


def _answer(run: Run, detach: bool) -> Answer:
    return Answer(service.document(run), lambda: run_text(run)) if detach else awaited(run)


def _options(arguments: argparse.Namespace) -> TrainOptions:
    """Return the options but for the policy: what was not given is the source's default."""
    given: dict[str, Any] = {one.name: getattr(arguments, one.name) for one in OPTIONS if hasattr(arguments, one.name)}
    return replace(training_defaults(arguments.source), **given)


def _policy(arguments: argparse.Namespace) -> Policy:
    if not hasattr(arguments, "policy"):
        return uniform_policy(getattr(arguments, "u", _U), getattr(arguments, "w", _W))
    if hasattr(arguments, "u") or hasattr(arguments, "w"):
        raise UsageError("--policy takes the place of --u and --w. Give either the policy or the numbers.")
    return policy_choice(arguments.source, arguments.policy)


TRAIN = Command("train", "Train a model in the background.", _arguments, _execute)
SWEEP = Command("sweep", "Train once for each u and w, as parts of one run.", _sweep_arguments, _execute_sweep)
