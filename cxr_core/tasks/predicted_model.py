"""What is known of a model that is to predict, whether its file is one of ours or an ONNX file with a card."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cxr_core.errors import ExistsError, UsageError
from cxr_core.models.export_forms import need_onnx
from cxr_core.models.onnx_card import SUFFIX, OnnxCard, read_card
from cxr_core.models.onnx_process import check_onnx
from cxr_core.runs.run import HERE
from cxr_core.sources.source import Source
from cxr_core.storage import local_copy
from cxr_core.tasks.named_model import absolute
from cxr_core.training.weights_file import read_info
from cxr_core.uncertainty import Policy

ONNX = ".onnx"
#: What of a table's metadata says which model made it: the run, or the digests of an ONNX file and of its card.
_IDENTITY = ("run", "onnx", "card")


@dataclass(frozen=True)
class PredictedModel:
    """A model, as a prediction needs to know it.

    Attributes:
        view: what it was trained on, or None where nothing tells.
        equalised: whether its training images were; None where nothing tells.
        scale: of what it predicts.
        metadata: what its prediction table says of it.
        card: of an ONNX model, with the file that it was read from.
    """

    view: str | None
    equalised: bool | None = None
    scale: str = "logit"
    metadata: dict[str, Any] = field(default_factory=dict)
    card: tuple[OnnxCard, Path] | None = None

    def said(self) -> dict[str, Any]:
        """Return what the result of a prediction says besides: of an ONNX model what it has more and less than ours."""
        if self.card is None:
            return {}
        return {"missing": list(self.card[0].missing), "left_out": list(self.card[0].left_out)}


def predicted_model(weights: Path, card: str = "") -> PredictedModel:
    """Return what the file of a model says of it, `card` naming the card of an ONNX file where none lies beside it.

    Raises:
        ModelFileError: the file is damaged, or the card is none.
        UsageError: a card was named for a model that needs none, or the packages for ONNX are not installed.
    """
    if weights.suffix == ONNX:
        need_onnx()
        file = local_copy(card or str(weights.with_suffix(SUFFIX)))
        return _by_card(weights, file)
    if card:
        raise UsageError(f"Only an ONNX model needs a card. Received: {card!r:.200} for {weights}.")
    info = read_info(weights)
    told: dict[str, Any] = {"policy": None, "policy_digest": None, "u": None, "w": None}
    if info.policy is not None:
        policy = Policy.from_dict(info.policy)
        told = {"policy": policy.name, "policy_digest": policy.digest, "u": policy.u_scalar, "w": policy.w_scalar}
    return PredictedModel(info.view, info.equalised, metadata={"view": info.view, "run": info.run} | told)


def card_place(model: str, card: str) -> str:
    """Return where the card of a model lies, as it is named: absolute, or on gs://; "" where it needs none."""
    if card or not model.endswith(ONNX):
        return absolute(card)
    return absolute(model.removesuffix(ONNX) + SUFFIX) if "/" in model else ""


def check_can_run(model: PredictedModel, weights: Path, accelerator: str, place: str) -> None:
    """Raise unless an ONNX model runs where it is asked to, and as its card says.

    Raises:
        UsageError: it is not to run on this machine's CPU.
        ModelFileError: it has foreign operators, weights elsewhere, or other inputs and outputs than its card says.
    """
    if model.card is None:
        return
    if accelerator != "cpu" or place != HERE:
        asked = place if accelerator == "cpu" else accelerator
        raise UsageError(f"An ONNX model is run on the CPU of this machine. Received: {asked}.")
    check_onnx(weights, model.card[1], model.card[0])


def check_table(source: Source, name: str, metadata: dict[str, Any], datasets: tuple[str, ...], replace: bool) -> None:
    """Raise `ExistsError` unless the rows of a model on these data sets may be written into the table `name`."""
    warehouse = source.warehouse()
    if name not in warehouse.prediction_tables():
        return
    table = warehouse.prediction_table(name)
    if table.location != str(source.predictions_path(name)):
        raise ExistsError(f"{name} already has predictions in {table.location}. Choose another --name.")
    if "recipe" in table.metadata:
        raise ExistsError(f"{name} is an ensemble. Choose another --name.")
    if replace:
        return
    if not is_of(table.metadata, metadata):
        raise ExistsError(f"{name} already has predictions of another model. Choose another --name, or use --replace.")
    there = [dataset for dataset in datasets if dataset in table.datasets]
    if there:
        raise ExistsError(f"{name} already has predictions on {' and '.join(there)}. Use --replace to predict again.")


def is_of(table: Any, metadata: dict[str, Any]) -> bool:
    """Say whether a table's metadata is of the model that this metadata is of."""
    return all(table.get(key) == metadata.get(key) for key in _IDENTITY)


def _by_card(weights: Path, file: Path) -> PredictedModel:
    card = read_card(file)
    with weights.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    metadata = {"view": card.view, "policy": None, "policy_digest": None, "u": None, "w": None, "run": ""}
    whence = {"onnx": digest, "card": card.digest, "file": weights.name}
    return PredictedModel(card.view, scale=card.scale, metadata=metadata | whence, card=(card, file))
