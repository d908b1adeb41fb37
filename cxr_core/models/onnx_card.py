"""The card of an ONNX model: what its file does not tell, in a TOML file that lies beside it.

    view     = "frontal"            # the view it is for; may be left out
    size     = 224                  # pixels along each side
    channels = 1                    # 1, or 3 to see the grey three times
    layout   = "channels-first"     # N x C x H x W; channels-last: N x H x W x C
    range    = [-1024, 1024]        # what black and white are
    mean     = [0.0]                # then taken off each channel; may be left out, as 0
    std      = [1.0]                # and divided by; may be left out, as 1
    scale    = "score"              # what the outputs are: logit, probability or score
    outputs  = ["Atelectasis", …]   # what they are called, in their order

    [labels]                        # which of them is which of our labels
    atelectasis = "Atelectasis"

Loads neither ONNX nor TensorFlow.
"""

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxr_core.config_text import parsed_toml
from cxr_core.errors import ModelFileError, brief
from cxr_core.schema import LABELS, RECORD_IMAGE_SIZE, SCALES, TRAINING_VIEWS
from cxr_core.training.architectures import CHANNELS
from cxr_core.training.execution_options import DECODINGS

SUFFIX = ".toml"
FIRST, LAST = LAYOUTS = ("channels-first", "channels-last")
_KEYS = ("view", "size", "channels", "layout", "range", "mean", "std", "scale", "outputs", "labels", "decode")
_NEEDED = ("size", "channels", "layout", "range", "scale", "outputs", "labels")
SMALLEST_SIZE, LARGEST_SIZE = 16, 1024
_MOST_OUTPUTS = 10_000
_MOST_BYTES = 1_000_000


@dataclass(frozen=True)
class OnnxCard:
    """What is known of an ONNX model; the keys of the file, and its `digest` (SHA-256).

    Attributes:
        low, high: what black and white are.
        mean, std: of each channel.
        labels: our labels in schema order, each with the name of the output that is it.
        decode: how images are made smaller (`pixels.PixelFormat`).
    """

    view: str | None
    size: int
    channels: int
    layout: str
    low: float
    high: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    scale: str
    outputs: tuple[str, ...]
    labels: tuple[tuple[str, str], ...]
    decode: str = "full"
    digest: str = ""

    @property
    def picture_shape(self) -> tuple[int, int, int]:
        """The shape of one picture."""
        return (self.channels, self.size, self.size) if self.layout == FIRST else (self.size, self.size, self.channels)

    @property
    def places(self) -> list[int]:
        """Which outputs are our labels, in schema order."""
        return [self.outputs.index(output) for _, output in self.labels]

    @property
    def known(self) -> tuple[str, ...]:
        """Our labels that it predicts, in schema order."""
        return tuple(label for label, _ in self.labels)

    @property
    def missing(self) -> tuple[str, ...]:
        """Our labels that it does not predict."""
        return tuple(label for label in LABELS if label not in self.known)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Its outputs that are none of our labels."""
        taken = {output for _, output in self.labels}
        return tuple(output for output in self.outputs if output not in taken)

    def as_toml(self) -> str:
        """Return the text of the file."""
        view = [] if self.view is None else [f"view = {json.dumps(self.view)}"]
        lines = [
            *view,
            f"size = {self.size}",
            f"channels = {self.channels}",
            f"layout = {json.dumps(self.layout)}",
            f"range = {json.dumps([self.low, self.high])}",
            f"mean = {json.dumps(self.mean)}",
            f"std = {json.dumps(self.std)}",
            f"scale = {json.dumps(self.scale)}",
            f"decode = {json.dumps(self.decode)}",
            f"outputs = {json.dumps(self.outputs)}",
            "",
            "[labels]",
            *(f"{label} = {json.dumps(output)}" for label, output in self.labels),
        ]
        return "\n".join(lines) + "\n"


def card_beside(model: Path) -> Path:
    """Return where the card of an ONNX file lies unless it is named."""
    return model.with_suffix(SUFFIX)


def read_card(path: Path) -> OnnxCard:
    """Return a card.

    Raises:
        ModelFileError: there is no such file, or it is no card.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise ValueError(f"it has more than {_MOST_BYTES:,} bytes")
        told = parsed_toml(content.decode("utf-8"))
    except FileNotFoundError as error:
        raise ModelFileError(
            f"An ONNX model needs a card that says what its inputs and outputs are: {path} is not there. "
            "docs/other-models.md has one to begin with."
        ) from error
    except OSError as error:
        raise ModelFileError(f"The card {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise ModelFileError(f"The card {path} is no TOML: {error}.") from error
    try:
        return _card(told, hashlib.sha256(content).hexdigest())
    except _CardError as error:
        raise ModelFileError(f"The card {path} must {error}.") from error


class _CardError(Exception):
    """What a card must be, and what it is."""


def _card(told: dict[str, Any], digest: str) -> OnnxCard:
    unknown = [key for key in told if key not in _KEYS]
    lacking = [key for key in _NEEDED if key not in told]
    if unknown:
        raise _CardError(f"have the keys {', '.join(_KEYS)} alone. It also has {brief(unknown[0])}")
    if lacking:
        raise _CardError(f"say {', '.join(lacking)}")
    size, channels = told["size"], told["channels"]
    _need(_is_whole(size) and SMALLEST_SIZE <= size <= LARGEST_SIZE, "size", "from 16 to 1,024 pixels", size)
    _need(_is_whole(channels) and channels in CHANNELS, "channels", "1 or 3", channels)
    decode = _one_of(told.get("decode", "full"), "decode", DECODINGS)
    _need(decode == "full" or size <= RECORD_IMAGE_SIZE, "decode", f"full above {RECORD_IMAGE_SIZE} pixels", decode)
    low, high = _numbers(told["range"], "range", 2)
    _need(low != high, "range", "two different numbers, black and white", told["range"])
    std = _numbers(told.get("std", [1.0] * channels), "std", channels)
    _need(all(number > 0 for number in std), "std", "of positive numbers", told.get("std"))
    outputs = _texts(told["outputs"])
    return OnnxCard(
        view=None if "view" not in told else _one_of(told["view"], "view", TRAINING_VIEWS),
        size=size,
        channels=channels,
        layout=_one_of(told["layout"], "layout", LAYOUTS),
        low=low,
        high=high,
        mean=_numbers(told.get("mean", [0.0] * channels), "mean", channels),
        std=std,
        scale=_one_of(told["scale"], "scale", SCALES),
        outputs=outputs,
        labels=_labels(told["labels"], outputs),
        decode=decode,
        digest=digest,
    )


def _need(holds: bool, key: str, what: str, received: object) -> None:
    if not holds:
        raise _CardError(f"have {key} {what}. Received: {brief(received)}")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _one_of(value: object, key: str, known: tuple[str, ...]) -> str:
    _need(isinstance(value, str) and value in known, key, f"one of {', '.join(known)}", value)
    return str(value)


def _numbers(value: object, key: str, count: int) -> tuple[float, ...]:
    found = value if isinstance(value, list) else []
    good = [number for number in found if isinstance(number, int | float) and not isinstance(number, bool)]
    good = [number for number in good if abs(number) < 1e30 and math.isfinite(number)]
    _need(len(good) == len(found) == count, key, f"a list of {count} number{'s' * (count != 1)}", value)
    return tuple(float(number) for number in good)


def _texts(value: object) -> tuple[str, ...]:
    found = value if isinstance(value, list) else []
    good = [text for text in found if isinstance(text, str) and text]
    whole = len(good) == len(found) == len(set(good)) and 0 < len(good) <= _MOST_OUTPUTS
    _need(whole, "outputs", "a list of names, each of them once", value)
    return tuple(good)


def _labels(value: object, outputs: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    found = value if isinstance(value, dict) else {}
    _need(bool(found), "labels", "a table of at least one of our labels", value)
    for label, output in found.items():
        _need(label in LABELS, "labels", f"of {', '.join(LABELS)}", label)
        _need(isinstance(output, str) and output in outputs, f"labels.{label}", "one of its outputs", output)
    taken = list(found.values())
    _need(len(set(taken)) == len(taken), "labels", "each of another output", taken)
    return tuple((label, found[label]) for label in LABELS if label in found)
