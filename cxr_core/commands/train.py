"""`train` and `sweep`: from the options of the command line to one training run, or to several."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from cxr_core.commands.parsing import Answer, Command, Parser
from cxr_core.commands.runs import awaited, run_text
from cxr_core.errors import UsageError
from cxr_core.runs import service
from cxr_core.runs.store import Run
from cxr_core.tasks.families import await_children, start_repeat, start_sweep
from cxr_core.tasks.train import start_training
from cxr_core.tasks.training_plan import training_defaults
from cxr_core.training.options import (
    ACCELERATORS,
    ARCHITECTURES,
    BATCH_NORMS,
    CACHE_CHOICES,
    DECODINGS,
    PRECISIONS,
    XLA_CHOICES,
    TrainOptions,
)
from cxr_core.uncertainty import POLICY_NAMES, Policy, named_policy, policy_from_file

#: Options that go to the training as they are.
_PLAIN = (
    *("view", "u", "w", "accelerator", "epochs", "batch_size", "image_size", "architecture", "learning_rate"),
    *("early_stopping", "init_from", "records", "name", "seed", "tensorboard", "save_to"),
    *("precision", "xla", "batch_norm", "decode", "cache", "augment", "checkpoint_minutes"),
)


def _arguments(parser: Parser) -> None:
    """Add the options; none has a default here, because the defaults depend on the source."""
    parser.argument_default = argparse.SUPPRESS
    add = parser.add_argument
    add("--u", type=float, help="probability of positive that an uncertain label stands for (default 0.4)")
    add("--w", type=float, help="weight of uncertain labels in the loss (default 0.75)")
    add(
        "--policy",
        metavar="NAME|FILE",
        help=f"in place of --u and --w: {', '.join(POLICY_NAMES)}, or a TOML or JSON file with u and w per label",
    )
    _shared_arguments(parser)


def _sweep_arguments(parser: Parser) -> None:
    parser.argument_default = argparse.SUPPRESS
    add = parser.add_argument
    add("--u", type=float, nargs="+", required=True, metavar="U", help="targets of uncertain labels, each from 0 to 1")
    add("--w", type=float, nargs="+", required=True, metavar="W", help="weights of uncertain labels, each from 0 to 1")
    _shared_arguments(parser)


def _shared_arguments(parser: Parser) -> None:
    add = parser.add_argument
    add("--view", help="frontal (default) or lateral")
    add("--accelerator", help=f"{', '.join(ACCELERATORS)} (default cpu)")
    add("--epochs", type=int, help="times that every training image is seen (default 3)")
    add("--batch-size", type=int, help="images in one step (default 32)")
    add("--image-size", type=int, help="pixels along each side that the network sees (default 320; demo 96)")
    add("--architecture", help=f"{', '.join(ARCHITECTURES)} (default densenet121; demo densenet-small)")
    add("--learning-rate", type=float, help="of Adam (default 0.001)")
    add("--early-stopping", type=int, help="stop after so many epochs without a better validation AUC")
    add(
        "--init-from",
        metavar="MODEL",
        help="start from the weights of this model, or of an .h5 or .keras file of the same network",
    )
    add(
        "--records",
        metavar="GLOB",
        help="TFRecord files, with {dataset} and {view} or of the training set alone",
    )
    add("--name", help="name of the model (default: told by the options and the run)")
    add("--seed", type=int, help="of everything random (default: drawn and stored)")
    add("--repeat", type=int, default=1, metavar="N", help="train N times, with this seed and those that follow it")
    add("--tensorboard", metavar="DIR", help="write TensorBoard logs there; on gs:// into your folder of it")
    add("--save-to", metavar="DIR|gs://…", help="put a copy of the model there; on gs:// into your folder of it")
    add("--precision", help=f"of the activations: {', '.join(PRECISIONS)} (default float32)")
    add("--xla", help=f"compile the network with XLA: {', '.join(XLA_CHOICES)} (default auto)")
    add("--batch-norm", help=f"{', '.join(BATCH_NORMS)}: statistics of each device or of all (default plain)")
    add("--decode", help=f"{', '.join(DECODINGS)}: make images smaller while decoding, or after (default reduced)")
    add("--cache", help=f"keep decoded images in memory: {', '.join(CACHE_CHOICES)} (default auto)")
    add("--augment", action="store_true", help="turn, shift, zoom and re-contrast training images a little")
    add("--checkpoint-minutes", type=float, help="minutes between two checkpoints within an epoch (default 10)")
    add("--detach", action="store_true", default=False, help="return at once; the run goes on in the background")


def _execute(arguments: argparse.Namespace) -> Answer:
    source, options, repeat = arguments.source, _options(arguments), arguments.repeat
    if repeat != 1:
        return _answer(await_children(start_repeat(source, options, repeat, confined=False)), arguments.detach)
    return _answer(start_training(source, options, confined=False), arguments.detach)


def _execute_sweep(arguments: argparse.Namespace) -> Answer:
    given = {name: getattr(arguments, name) for name in _PLAIN if hasattr(arguments, name)} | {"name": ""}
    us, ws = given.pop("u"), given.pop("w")
    options = replace(training_defaults(arguments.source), **given)
    name = getattr(arguments, "name", "")
    run = start_sweep(arguments.source, options, us, ws, arguments.repeat, name, confined=False)
    return _answer(await_children(run), arguments.detach)


def _answer(run: Run, detach: bool) -> Answer:
    return Answer(service.document(run), lambda: run_text(run)) if detach else awaited(run)


def _options(arguments: argparse.Namespace) -> TrainOptions:
    given: dict[str, Any] = {name: getattr(arguments, name) for name in _PLAIN if hasattr(arguments, name)}
    options = replace(training_defaults(arguments.source), **given)
    if not hasattr(arguments, "policy"):
        return options
    if {"u", "w"} & given.keys():
        raise UsageError("--policy takes the place of --u and --w. Give either the policy or the numbers.")
    return options.with_policy(_policy(arguments.policy))


def _policy(text: str) -> Policy:
    """Return the policy of that name; what is written like a file is one."""
    return policy_from_file(Path(text)) if Path(text).suffix or Path(text).name != text else named_policy(text)


TRAIN = Command("train", "Train a model in the background.", _arguments, _execute)
SWEEP = Command("sweep", "Train once for each u and w, as parts of one run.", _sweep_arguments, _execute_sweep)
