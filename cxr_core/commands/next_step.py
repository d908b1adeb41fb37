"""What one does after a command: the path from a table of labels to a judged model, a line at a time.

The words in capitals are for the user to fill in.
"""

import argparse
import shlex
from collections.abc import Callable
from typing import Any

from cxr_core.commands.parsing import DEFAULT_SOURCE, PROGRAM
from cxr_core.runs.run import ACTIVE, CANCELLED, COMPLETED

Words = list[str]
_TRAINED, _SEVERAL, _PREDICTED = "train", ("sweep", "repeat"), "predict"
_INDEXED, _TRIED = "index", "policies"
_RESUMABLE = (_TRAINED, *_SEVERAL, "import-images", _INDEXED)


def next_step(command: str, arguments: argparse.Namespace, document: Any) -> str:
    """Return the line that follows the answer `document` of a command; "" where nothing follows."""
    if command == "runs" and arguments.action in ("delete", "repair"):
        return f"See the others: {PROGRAM} runs"
    why, words = (_after_run if _is_run(document) else _AFTER[command])(arguments, document)
    source = _source(arguments, document)
    named = ["--source", source] if source != DEFAULT_SOURCE and words[:1] != ["runs"] else []
    return f"{why}: {PROGRAM} {shlex.join([*words, *named])}" if words else ""


def _is_run(document: Any) -> bool:
    return isinstance(document, dict) and {"run", "kind", "status"} <= document.keys()


def _source(arguments: argparse.Namespace, document: Any) -> str:
    of_run = document.get("source") if isinstance(document, dict) else None
    return str(of_run or arguments.source or DEFAULT_SOURCE)


def _after_demo(_arguments: argparse.Namespace, _document: Any) -> tuple[str, Words]:
    return "Look at its labels", ["distribution"]


def _after_sources(_arguments: argparse.Namespace, document: Any) -> tuple[str, Words]:
    usable = [one["source"] for one in document if not one["problems"] and one["source"] != DEFAULT_SOURCE]
    return "Look at the labels of a source", ["distribution", *(["--source", usable[0]] if usable else [])]


def _after_distribution(arguments: argparse.Namespace, _document: Any) -> tuple[str, Words]:
    return "Train on these images", ["train", "--view", arguments.view]


def _after_models(_arguments: argparse.Namespace, document: Any) -> tuple[str, Words]:
    predicted = [one["name"] for one in document if one["predictions"]]
    if predicted:
        return "Judge a model", ["evaluate", predicted[0]]
    weighted = [one["name"] for one in document if one["weights"]]
    return ("Predict with a model", ["predict", "--model", weighted[0]]) if weighted else ("Train one", ["train"])


def _after_split(_arguments: argparse.Namespace, _document: Any) -> tuple[str, Words]:
    return "Look at its labels", ["distribution"]


def _after_import(arguments: argparse.Namespace, _document: Any) -> tuple[str, Words]:
    return {
        "labels": ("Look at the labels", ["distribution"]),
        "predictions": ("Judge the model", ["evaluate", arguments.model or "MODEL"]),
        "readings": ("See what the labels mean", ["meaning"]),
        "groups": ("See whom a model serves worse", ["gaps", "MODEL", "--by", "COLUMN", "--at", "CARD"]),
        "images": ("Train on the images", ["train"]),
    }.get(arguments.what, ("Look at the source", ["sources"]))


def _after_run(_arguments: argparse.Namespace, document: Any) -> tuple[str, Words]:
    """Follow a run that goes on, resume one that can be resumed, use one that has completed."""
    run, kind = document["run"], document["kind"]
    if document["status"] in ACTIVE:
        return "Follow it", ["runs", "log", run]
    if document["status"] != COMPLETED:
        resumable = document["status"] == CANCELLED and kind in _RESUMABLE
        return ("Go on with it", ["runs", "resume", run]) if resumable else ("See why", ["runs", "log", run])
    return {
        _TRAINED: ("Predict with it", ["predict", "--model", run]),
        _PREDICTED: ("Judge the model", ["evaluate", document["name"]]),
        _INDEXED: ("List images", ["images"]),
        **dict.fromkeys(_SEVERAL, ("See its trainings", ["runs", "--parent", run])),
        _TRIED: ("See what came of it", ["policies", "--model", document["name"]]),
    }.get(kind, ("Look at the labels", ["distribution"]))


def _after_runs(arguments: argparse.Namespace, document: Any) -> tuple[str, Words]:
    if isinstance(document, list):
        return ("See one", ["runs", "show", document[0]["run"]]) if document else ("Start one", ["train"])
    return "See how it stands", ["runs", "show", arguments.run]


def _after_ensemble(arguments: argparse.Namespace, document: Any) -> tuple[str, Words]:
    if "model" not in document:  # a preview saves nothing
        return "Save it", ["ensemble", *arguments.models, "--method", arguments.method, "--name", "NAME"]
    return _after_prediction(arguments, document)


def _after_prediction(_arguments: argparse.Namespace, document: Any) -> tuple[str, Words]:
    return "Judge the model", ["evaluate", document["model"]]


def _after_policies(_arguments: argparse.Namespace, document: Any) -> tuple[str, Words]:
    """Train with a pair that gains beyond chance, where there is one."""
    told = [one for one in document["best"].values() if one["told"]]
    most = max(told, key=lambda one: one["gain"], default=None)
    return "Train with one", ["train", *(["--u", f"{most['u']:g}", "--w", f"{most['w']:g}"] if most else [])]


def _after_evaluation(arguments: argparse.Namespace, _document: Any) -> tuple[str, Words]:
    return "Compare it with another", ["compare", arguments.model, "OTHER", "--dataset", arguments.dataset]


def _after_thresholds(arguments: argparse.Namespace, document: Any) -> tuple[str, Words]:
    other = "test" if arguments.on == "valid" else "valid"
    return "Judge them on other images", ["evaluate", arguments.model, "--at", document["card"], "--dataset", other]


def _after_gaps(arguments: argparse.Namespace, _document: Any) -> tuple[str, Words]:
    return "See its figures", ["evaluate", arguments.model, "--at", arguments.at, "--dataset", arguments.dataset]


def _after_images(_arguments: argparse.Namespace, document: Any) -> tuple[str, Words]:
    """Show the first image; a study that is judged as a whole has no picture of its own."""
    if document and document[0]["image"]:
        return "See the first", ["show", document[0]["path"], "--to", "FILE.png"]
    return "", []


def _after_doubts(arguments: argparse.Namespace, document: Any) -> tuple[str, Words]:
    """Show the first image in doubt, or judge the model where none is."""
    shown = _after_images(arguments, document["doubts"])
    return shown if shown[1] else ("Judge the model", ["evaluate", arguments.model, "--dataset", arguments.dataset])


def _after_comparison(arguments: argparse.Namespace, _document: Any) -> tuple[str, Words]:
    return "Combine them", ["ensemble", arguments.a, arguments.b, "--method", "mean-logit", "--name", "NAME"]


def _after_meaning(arguments: argparse.Namespace, _document: Any) -> tuple[str, Words]:
    if arguments.write_policy:
        return "Train by it", ["train", "--policy", arguments.write_policy]
    return "Make a policy of it", ["meaning", "--write-policy", "FILE.toml"]


def _after_export(_arguments: argparse.Namespace, _document: Any) -> tuple[str, Words]:
    return "See the source", ["sources"]


def _after_accelerators(_arguments: argparse.Namespace, document: Any) -> tuple[str, Words]:
    best = [one["name"] for one in document if one["available"]]
    return "Train on one", ["train", *(["--accelerator", best[-1]] if best else [])]


def _after_places(_arguments: argparse.Namespace, document: Any) -> tuple[str, Words]:
    if not all(one["checked"] for one in document):
        return "See whether they are ready", ["places", "--check"]
    return "", []


def _nothing_follows(_arguments: argparse.Namespace, _document: Any) -> tuple[str, Words]:
    return "", []


_AFTER: dict[str, Callable[[argparse.Namespace, Any], tuple[str, Words]]] = {
    "demo": _after_demo,
    "sources": _after_sources,
    "distribution": _after_distribution,
    "models": _after_models,
    "split": _after_split,
    "import": _after_import,
    "runs": _after_runs,
    "predict": _after_prediction,
    "policies": _after_policies,
    "evaluate": _after_evaluation,
    "thresholds": _after_thresholds,
    "gaps": _after_gaps,
    "images": _after_images,
    "doubts": _after_doubts,
    "show": _nothing_follows,
    "index": _after_run,
    "compare": _after_comparison,
    "seeds": _nothing_follows,
    "report": _nothing_follows,
    "meaning": _after_meaning,
    "ensemble": _after_ensemble,
    "export": _after_export,
    "accelerators": _after_accelerators,
    "places": _after_places,
    "journal": _nothing_follows,
    "backup": lambda arguments, document: ("Bring it back", ["restore", document.get("file") or "FILE.tar"]),
    "restore": lambda arguments, document: ("See its runs", ["runs"]),
    "completion": _nothing_follows,
}
