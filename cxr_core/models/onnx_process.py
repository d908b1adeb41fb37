"""The owner's side of the process that runs an ONNX model (`onnx_worker`). Loads neither ONNX nor TensorFlow."""

import os
import select
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from cxr_core.errors import ModelFileError
from cxr_core.models.onnx_card import OnnxCard
from cxr_core.models.onnx_frames import ERROR, FACTS, OUTPUTS, PICTURES, frame_from, write_frame
from cxr_core.processes import child_environment

_MODULE = "cxr_core.models.onnx_worker"
_MOST_SECONDS = 900.0


class OnnxProcess:
    """A model that answers batches of pictures, while it is entered as a context.

    Raises:
        ModelFileError: on entry, what is wrong with the file; later, what went wrong as it ran.
    """

    def __init__(self, model: Path, card_file: Path, card: OnnxCard) -> None:
        self._model, self._card_file, self._card = model, card_file, card
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", _MODULE, str(self._model), str(self._card_file)],
            env=child_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        try:
            self._answer(FACTS)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def outputs(self, pictures: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return (pictures, outputs) in the order of the card's names."""
        try:
            write_frame(self._running.stdin, PICTURES, pictures.tobytes())  # type: ignore[arg-type]
        except BrokenPipeError:
            raise self._refused("its process ended") from None
        found = np.frombuffer(self._answer(OUTPUTS), np.float32)
        return found.reshape(len(pictures), len(self._card.outputs))

    @property
    def _running(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None, "it is entered"
        return self._process

    def _answer(self, wanted: int) -> bytes:
        until = time.monotonic() + _MOST_SECONDS
        frame = frame_from(lambda count: self._read(count, until))
        if frame is None:
            raise self._refused("it takes more memory or time than it may have, or it crashed")
        kind, content = frame
        if kind == ERROR or kind != wanted:
            raise self._refused(content.decode(errors="replace"))
        return content

    def _read(self, count: int, until: float) -> bytes:
        """Return so many bytes, fewer where the process ends or is too slow."""
        source: Any = self._running.stdout
        parts: list[bytes] = []
        while count > 0 and select.select([source], [], [], max(until - time.monotonic(), 0))[0]:
            part = os.read(source.fileno(), min(count, 1 << 20))
            if not part:
                break
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def _refused(self, why: str) -> ModelFileError:
        return ModelFileError(f"The ONNX model {self._model} is not run: {why.rstrip('.')}.")


def check_onnx(model: Path, card_file: Path, card: OnnxCard) -> None:
    """Raise `ModelFileError` unless an ONNX model can be run: it is, on one empty picture."""
    with OnnxProcess(model, card_file, card):
        pass
