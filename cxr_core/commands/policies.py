"""`policies`: which (u, w) is best on each label, tried on frozen features."""

import argparse
from typing import Any

from cxr_core.commands.output import as_table, reasons
from cxr_core.commands.parsing import Answer, Command, Parser
from cxr_core.commands.runs import awaited
from cxr_core.errors import UsageError
from cxr_core.schema import REPORT
from cxr_core.tasks.head_training import JUDGED_ON
from cxr_core.tasks.policies import PolicyLandscape, check_labels, policy_landscape
from cxr_core.tasks.policy_search import default_model, start_search
from cxr_core.training.execution_options import ANY_DEVICE
from cxr_core.training.head_grid import PAIRS
from cxr_core.words import counted, signed


def _arguments(parser: Parser) -> None:
    add = parser.add_argument
    add(
        "--model",
        default="",
        metavar="NAME_OR_FILE",
        help="whose features: a model with weights, the path of an .h5 or .keras file, or a file of embeddings "
        "(.parquet, .npz, .tfrecord) or a pattern of such; without it, the first model",
    )
    add("--label", action="append", metavar="LABEL", help="only this label; several times for several")
    add("--judge", default=REPORT, metavar="WHO", help="report, truth, or a set of readings (default %(default)s)")
    add("--accelerator", default="cpu", help="for taking the features: cpu, gpu, multi-gpu or tpu")
    add("--device", default=ANY_DEVICE, help="the GPU to take them on, as in gpu:1; without it, one that is free")


def _execute(arguments: argparse.Namespace) -> Answer:
    labels = tuple(dict.fromkeys(arguments.label or ()))
    check_labels(labels)
    model = arguments.model or default_model(arguments.source)
    asked = (arguments.source, model, arguments.judge, labels, False)
    found = policy_landscape(*asked)
    if found is None:
        run = start_search(arguments.source, model, arguments.accelerator, confined=False, device=arguments.device)
        ended = awaited(run)
        if ended.status:
            return ended
        found = policy_landscape(*asked)
    if found is None:
        raise UsageError("Records or labels changed while the policies were tried. Try them again.")
    return _answer(found)


def _answer(found: PolicyLandscape) -> Answer:
    return Answer(found.as_json(), lambda: _text(found))


def _text(found: PolicyLandscape) -> str:
    document, rows = found.as_json(), []
    why: dict[str, dict[str, str]] = {}
    for label, best in document["best"].items():
        gain = (_signed(best["gain"]), _ends(best["gain_ci_corrected"]))
        rows.append([label, best["u"], best["w"], *gain, best["alike"]])
        why[label] = {"gain": best["why"]} if best["why"] else {}
    about = document["features"]
    head = (
        f"Heads on {about['size']} features of {about['model']} ({about['policy'] or 'policy not known'}), trained on "
        f"{counted(about['n_train'], 'image')}, judged by {found.judge} on {counted(about['n_judged'], 'image')} of "
        f"{JUDGED_ON}"
    )
    tail = (
        f"gain: AUC over ignoring uncertain images, on patients that took no part in the choice, its interval "
        f"corrected for all labels (Holm); alike: how many of {len(PAIRS)} pairs cannot be told from the best.\n"
        "The features were trained with a policy of their own; a whole training may rank policies otherwise."
    )
    headers = ["label", "best u", "best w", "gain", "corrected interval", "alike"]
    return f"{head}\n\n{as_table(headers, rows)}{reasons(why)}\n\n{tail}"


def _signed(value: Any) -> str:
    return "-" if value is None else signed(value)


def _ends(ci: Any) -> str:
    return "-" if ci is None else f"{signed(ci[0])} to {signed(ci[1])}"


POLICIES = Command("policies", "Try all u and w on frozen features, in seconds.", _arguments, _execute)
