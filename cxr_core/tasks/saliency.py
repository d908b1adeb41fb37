"""Where does a model look? The map of an image by a model and label, computed in a process of its own and kept."""

import base64
from pathlib import Path

from cxr_core.errors import RunError, UnknownNameError, UsageError
from cxr_core.models.activation_maps import ActivationMaps, LabelMap
from cxr_core.models.kept_maps import keep_maps, kept_path, read_maps
from cxr_core.models.warm_worker import WarmWorker
from cxr_core.schema import LABELS
from cxr_core.sources.registry import get_source
from cxr_core.stamps import file_stamp
from cxr_core.tasks.named_model import is_path, weights_of
from cxr_core.training.weights_file import read_info

#: The process of this one's owner; nothing runs until a map is asked for.
WORKER = WarmWorker()


def looked_at(source_name: str, model: str, label: str, jpg: bytes, random: bool = False) -> LabelMap:
    """Return where a model looks in an image, or with `random` where the same network looks with random weights.

    A map that looks the same with random weights says what is in the image and nothing of what the model learned
    (Adebayo et al. 2018, "Sanity checks for saliency maps").

    Raises:
        UnknownNameError: there is no such source, model or label.
        UsageError: the model has no weights here, or never learned the label.
        ModelFileError: the weights file is missing, damaged, or holds another network.
        RecordError: the image cannot be read.
        RunError: the process that computes it crashed.
    """
    return _maps(checked_weights(source_name, model, label), jpg, random).of(label)


def checked_weights(source_name: str, model: str, label: str) -> Path:
    """Return the weights file of a model that has learned a label, or raise as `looked_at` does."""
    if label not in LABELS:
        raise UnknownNameError("label", label, LABELS)
    source = get_source(source_name)
    try:
        weights = weights_of(source, model)
    except UnknownNameError as error:
        if is_path(model) or not source.has_predictions(model):
            raise
        raise UsageError(
            f"The model {model} has predictions but no weights here, and only weights tell where it looks. Choose one "
            f"of: {', '.join(sorted(source.weights())) or 'there is none yet'}."
        ) from error
    if label in read_info(weights).untrained:
        raise UsageError(
            f"The model {model} never learned {label}: no image that it was trained on had a value. Choose another "
            "label or model."
        )
    return weights


def _maps(weights: Path, jpg: bytes, random: bool) -> ActivationMaps:
    stamp = file_stamp(weights)
    path = kept_path(weights, stamp, jpg, random)
    maps = read_maps(path)
    if maps is None:
        maps = _computed(weights, repr(stamp), jpg, random)
        keep_maps(path, maps)
    return maps


def _computed(weights: Path, stamp: str, jpg: bytes, random: bool) -> ActivationMaps:
    question = {"model": str(weights), "stamp": stamp, "random": random, "jpg": base64.b64encode(jpg).decode()}
    maps = ActivationMaps.from_arrays(WORKER.ask(question)["maps"])
    for array in (maps.maps, maps.shares, maps.logits):
        if not bool((abs(array) < float("inf")).all()):
            raise RunError("The network gives numbers that are not finite, so there is no map. Train the model again.")
    return maps
