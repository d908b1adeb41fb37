"""A model in a form that other programs read: ONNX, or TensorFlow's SavedModel. Loads no TensorFlow.

Both take the pixels / 255 of a network's own input, (batch, size, size, 1), and give its 14 logits.
"""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from cxr_core.errors import ModelFileError, UsageError
from cxr_core.models.onnx_card import LAST, OnnxCard
from cxr_core.processes import child_environment
from cxr_core.schema import LABELS
from cxr_core.training.weights_file import ModelInfo

ONNX, SAVED_MODEL = FORMS = ("onnx", "saved-model")
WITHOUT_ONNX = 'ONNX needs two more packages: pip install "cxr-lab[onnx]", or --no-deps -r requirements-onnx.txt.'
_MODULE = "cxr_core.models.export_worker"
_MOST_SECONDS = 900.0


def knows_onnx() -> bool:
    """Say whether the two packages for ONNX are installed."""
    return find_spec("onnx") is not None and find_spec("onnxruntime") is not None


def need_onnx() -> None:
    """Raise `UsageError` unless the two packages for ONNX are installed."""
    if not knows_onnx():
        raise UsageError(WITHOUT_ONNX)


def write_form(model: Path, form: str, to: Path) -> None:
    """Write the model of a file in a form of `FORMS`: a file, or for a SavedModel a folder that is not there yet.

    Raises:
        ModelFileError: the file is damaged or holds another network, or the network has a layer that cannot be written.
    """
    command = [sys.executable, "-m", _MODULE, str(model), form, str(to)]
    environment = child_environment() | {"CUDA_VISIBLE_DEVICES": "-1"}
    try:
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            timeout=_MOST_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
            text=True,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelFileError(f"The model file {model} took too long to be written as {form}.") from error
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1][:300]
        raise ModelFileError(f"The model file {model} could not be written as {form}: {last}.")
    if wrong := json.loads(lines[-1]).get("error"):
        raise ModelFileError(str(wrong))


def card_of(info: ModelInfo) -> OnnxCard:
    """Return the card of a network of ours that was written as ONNX."""
    return OnnxCard(
        view=info.view,
        size=info.image_size,
        channels=1,
        layout=LAST,
        low=0.0,
        high=1.0,
        mean=(0.0,),
        std=(1.0,),
        scale="logit",
        outputs=LABELS,
        labels=tuple((label, label) for label in LABELS),
        decode=info.decode,
    )
