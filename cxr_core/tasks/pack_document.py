"""The document behind a pack: everything that its page, figures, tables and checklists say, as plain JSON."""

import contextlib
import json
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import cxr_core
from cxr_core.arrays import FloatArray
from cxr_core.errors import CxrError, UnknownNameError, UsageError
from cxr_core.evaluation.curves import drawn_vertices
from cxr_core.evaluation.resamples import SEED
from cxr_core.locations import is_remote
from cxr_core.models.listing import ModelEntry
from cxr_core.pack.document import FORMAT
from cxr_core.runs import service
from cxr_core.schema import REPORT
from cxr_core.settings import settings
from cxr_core.sources.registry import get_source
from cxr_core.tasks.characteristics import characteristics
from cxr_core.tasks.compare import compare
from cxr_core.tasks.details import SPECIFICITY, label_details
from cxr_core.tasks.distribution import shared_patients
from cxr_core.tasks.evaluate import evaluate
from cxr_core.tasks.judging import joined_predictions
from cxr_core.tasks.label_curves import LabelCurves, curves_of
from cxr_core.tasks.methods import detail_words, method_words
from cxr_core.tasks.models import models as list_models
from cxr_core.tasks.pack_groups import columns_of_pack, groups_of_pack
from cxr_core.tasks.participants import participants
from cxr_core.tasks.provenance import command_line, rows_digest, software
from cxr_core.tasks.threshold_cards import Card, judged_at, read_card
from cxr_core.training.weights_file import read_info

#: Parts of the axis of a drawn curve, and the decimals of its points: finer than a printed line.
_COLUMNS, _DECIMALS = 150, 5
#: What a paper says of a training.
_TOLD = (
    *("architecture", "channels", "pooling", "image_size", "epochs", "batch_size", "learning_rate", "early_stopping"),
    *("seed", "init_from", "schedule", "warm_up", "weight_decay", "clip_norm", "ema", "dropout", "class_weights"),
    *("augment", "equalise", "accelerator"),
)


def pack_document(
    source_name: str,
    models: Sequence[str],
    dataset: str = "valid",
    view: str | None = None,
    judge: str = REPORT,
    cards: Sequence[str] = (),
    by: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the document of a pack; it is what JSON gives back of it, so that a file of it makes the same pack.

    Args:
        source_name: the source.
        models: the models, each with predictions; the first is the one that differences are told of.
        dataset: train, valid or test.
        view: only images of this view, or all that each model predicts.
        judge: who says what is positive.
        cards: threshold cards of the models, at most one each, judged on these images.
        by: columns by which groups are set beside each other; without any sex and age, where the source tells them.

    Raises:
        UnknownNameError: there is no such source, model, data set, view, judge, card or column.
        UsageError: a model is named twice, or a card is of none of them.
        TableError, WarehouseError: as `evaluate` raises.
    """
    if not models or len(set(models)) < len(models):
        raise UsageError(f"Name each model once, one or more. Received: {', '.join(models) or 'none'}.")
    where = (dataset, view, judge)
    entries = {entry.name: entry for entry in list_models(source_name)}
    for model in models:
        if model not in entries:
            raise UnknownNameError("model", model, sorted(entries))
    at = _cards_by_model(source_name, models, cards)
    chosen, columns = settings(), columns_of_pack(source_name, by)
    document = {
        "pack": FORMAT,
        "made_by": f"CXR Lab {cxr_core.__version__}",
        "source": source_name,
        "synthetic": get_source(source_name).synthetic,
        "dataset": dataset,
        "view": view,
        "judge": judge,
        "seed": SEED,
        "settings": {
            "intervals": chosen.intervals,
            "resamples": chosen.resamples,
            "minimum_positives": chosen.minimum_positives,
        },
        "software": software(),
        "specificity": SPECIFICITY,
        "methods": [*method_words(), *detail_words(SPECIFICITY)],
        "characteristics": characteristics(source_name),
        "shared_patients": shared_patients(source_name),
        "models": [_of_model(source_name, entries[model], where, at.get(model), columns) for model in models],
        "differences": [_difference(source_name, a, b, where) for a, b in combinations(models, 2)],
        "commands": _commands(source_name, models, where, at, columns),
    }
    made: dict[str, Any] = json.loads(json.dumps(document, allow_nan=False))
    return made


def _cards_by_model(source_name: str, models: Sequence[str], cards: Sequence[str]) -> dict[str, Card]:
    found: dict[str, Card] = {}
    for name in cards:
        card = read_card(source_name, name)
        if card.model not in models or card.model in found:
            raise UsageError(f"Each card must be of one of the models, at most one of each. {name} is of {card.model}.")
        found[card.model] = card
    return found


def _of_model(
    source_name: str, entry: ModelEntry, where: tuple[str, str | None, str], card: Card | None, columns: Sequence[str]
) -> dict[str, Any]:
    joined = joined_predictions(source_name, entry.name, *where)
    labels = {}
    for label in joined.labels:
        curves = curves_of(joined, entry.name, label)
        labels[label] = {"details": label_details(curves).as_json(), "curves": _drawn(curves)}
    found: dict[str, Any] = {
        "name": entry.name,
        "view": entry.view,
        "policy": entry.policy_words(),
        "ensemble": entry.is_ensemble,
        "training": _training(entry),
        "scale": joined.scale,
        "digest": rows_digest(joined.frame),
        "evaluation": evaluate(source_name, entry.name, *where).as_json(),
        "labels": labels,
        "flow": [step.as_json() for step in participants(source_name, entry.name, *where)],
        "card": None,
        "gaps": groups_of_pack(source_name, entry.name, where, columns, card, joined.scale),
    }
    if card is not None:
        cuts = judged_at(card, source_name, entry.name, *where)
        told = {"card": card.card, "rule": str(card.rule), "on": card.on, "judge": card.judge}
        found["card"] = told | {"labels": {label: cut.as_json() for label, cut in cuts.items()}}
    return found


def _drawn(curves: LabelCurves) -> dict[str, Any] | None:
    """Return the curves of a label as lists of points; None where they are undefined."""
    if curves.roc is None or curves.pr is None:
        return None
    return {
        "roc": _points(curves.roc.fpr, curves.roc.tpr),
        # The last vertex (recall 0, precision 1) is a convention, no measurement.
        "pr": _points(curves.pr.recall[:-1], curves.pr.precision[:-1]),
        "prevalence": curves.prevalence,
    }


def _points(x: FloatArray, y: FloatArray) -> list[list[float]]:
    kept = drawn_vertices(x, y, _COLUMNS)
    return [x[kept].round(_DECIMALS).tolist(), y[kept].round(_DECIMALS).tolist()]


def _training(entry: ModelEntry) -> dict[str, Any] | None:
    """Return what the model's file and its run tell of its training; None where nothing does."""
    if entry.weights is None or is_remote(entry.weights):
        return None
    with contextlib.suppress(CxrError):
        info = read_info(Path(entry.weights))
        told = {"architecture": info.architecture, "image_size": info.image_size, "equalise": info.equalised}
        with contextlib.suppress(CxrError):
            run = service.get(info.run)
            options = run.config["options"]
            told |= {name: options[name] for name in _TOLD if name in options} | {"source": run.source}
        return {name: value for name, value in told.items() if value not in (None, "")}
    return None


def _difference(source_name: str, a: str, b: str, where: tuple[str, str | None, str]) -> dict[str, Any]:
    try:
        return compare(source_name, a, b, *where).as_json()
    except UsageError as error:  # of models that share no image
        return {"a": a, "b": b, "why": str(error)}


def _commands(
    source_name: str,
    models: Sequence[str],
    where: tuple[str, str | None, str],
    at: dict[str, Card],
    columns: Sequence[str],
) -> list[str]:
    dataset, view, judge = where
    places = ["--source", source_name, "--dataset", dataset, *(["--view", view] if view else []), "--judge", judge]
    cards = [word for card in at.values() for word in ("--at", card.card)]
    by = [word for column in columns for word in ("--by", column)]
    made = [["report", *models, "--to", "FOLDER", *cards, *by]]
    made += [["evaluate", m, "--details", *(["--at", at[m].card] if m in at else [])] for m in models]
    made += [["gaps", m, "--at", at[m].card, *by] for m in models if m in at and columns]
    made += [["compare", a, b] for a, b in combinations(models, 2)]
    return [command_line([*command, *places]) for command in made]
