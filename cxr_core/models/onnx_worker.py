"""The process that runs an ONNX model, with limits: python -m cxr_core.models.onnx_worker MODEL CARD.

It says first what the model asks for, then answers each batch of pictures with its outputs, until its input closes.
What goes to and fro is framed (`onnx_frames`). Nothing of the file is trusted: memory, time and the size of files are
bounded before it is read, and before it is run nothing can be opened any more, no file and no connection.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cxr_core.errors import CxrError
from cxr_core.models.onnx_card import OnnxCard, read_card
from cxr_core.models.onnx_frames import ERROR, FACTS, OUTPUTS, read_frame, write_frame
from cxr_core.models.onnx_input import BATCH_SIZE
from cxr_core.processes import cores

_MOST_BYTES = 4_000_000_000
#: Of processor time, for reading the model, and for each batch.
_MOST_SECONDS = 600
#: Standard input, output and error; whatever is opened comes after them.
_OPEN = 3
_DIE_WITH_PARENT, _NO_NEW_RIGHTS = 1, 38


def main(model: Path, card_file: Path) -> None:
    """Answer until the input closes."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what libraries print must not stand among the answers
    limit(model.stat().st_size)
    try:
        card = read_card(card_file)
        session, batch = _session(model, card)
        answer = _Answer(session, card, batch)
        answer(np.zeros((1, *answer.shape), np.float32))
    except CxrError as error:
        write_frame(answers, ERROR, str(error).encode())
        return
    except MemoryError:
        write_frame(answers, ERROR, b"it takes more memory than it may have")
        return
    write_frame(answers, FACTS, json.dumps({"batch": batch}).encode())
    while (frame := read_frame(sys.stdin.buffer)) is not None:
        _allow_seconds()
        try:
            pictures = np.frombuffer(frame[1], np.float32).reshape(-1, *answer.shape)
            write_frame(answers, OUTPUTS, answer(pictures).tobytes())
        except (CxrError, MemoryError) as error:
            write_frame(answers, ERROR, (str(error) or "it takes more memory than it may have").encode())
            return


def limit(size: int) -> None:
    """Bound what this process may take, and let it end when its parent does."""
    library = ctypes.CDLL(None, use_errno=True)
    library.prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    library.prctl(_NO_NEW_RIGHTS, 1, 0, 0, 0)
    most = _MOST_BYTES + 3 * size
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _allow_seconds()


def open_nothing_more() -> None:
    """Let this process open no file and no connection from now on."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN, _OPEN))


def _allow_seconds() -> None:
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    resource.setrlimit(resource.RLIMIT_CPU, (int(used) + _MOST_SECONDS, resource.RLIM_INFINITY))


def _session(model: Path, card: OnnxCard) -> tuple[Any, int | None]:
    import onnxruntime

    from cxr_core.errors import ModelFileError
    from cxr_core.models.onnx_check import checked_model

    content, batch = checked_model(model, card)
    open_nothing_more()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads, options.inter_op_num_threads = cores(), 1
    options.enable_cpu_mem_arena = False
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"]), batch
    except MemoryError:
        raise
    except Exception as error:  # onnxruntime's own errors have no common kind
        raise ModelFileError(f"onnxruntime does not take it: {_words(error)}") from error


class _Answer:
    """Pictures -> the outputs of each."""

    def __init__(self, session: Any, card: OnnxCard, batch: int | None) -> None:
        (given,) = session.get_inputs()
        self._session, self._name = session, given.name
        self._batch = batch or BATCH_SIZE
        self._fixed = batch is not None
        self._outputs = len(card.outputs)
        self.shape = card.picture_shape

    def __call__(self, pictures: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        parts = [self._part(pictures[start : start + self._batch]) for start in range(0, len(pictures), self._batch)]
        return np.concatenate(parts)

    def _part(self, pictures: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        from cxr_core.errors import ModelFileError

        count = len(pictures)
        if self._fixed and count < self._batch:
            pictures = np.concatenate([pictures, np.zeros((self._batch - count, *self.shape), np.float32)])
        try:
            (made,) = self._session.run(None, {self._name: pictures})
        except MemoryError:
            raise
        except Exception as error:
            raise ModelFileError(f"it could not be run: {_words(error)}") from error
        if made.shape != (len(pictures), self._outputs):
            shown = " x ".join(map(str, made.shape))
            raise ModelFileError(
                f"its output must be {len(pictures)} x {self._outputs} for {len(pictures)} pictures, as its card names "
                f"them. It is {shown}"
            )
        return np.ascontiguousarray(made[:count], np.float32)


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
