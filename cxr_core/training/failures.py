"""What TensorFlow's errors mean for the person who started the run."""

import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import tensorflow as tf

from cxr_core.errors import CxrError, LostWorkerError, RecordError, RunError
from cxr_core.records.layout import locate_damage

#: Names of graph nodes in TensorFlow's messages, which say nothing to people.
_NODE = re.compile(r"\{\{.*?\}\}\s*")

#: What a worker is told of another one that is gone.
_LOST = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.DeadlineExceededError)

_IS_GPU = re.compile(r"GPU|CUDA")


@contextlib.contextmanager
def explained_failures(paths: Sequence[str]) -> Iterator[None]:
    """Turn TensorFlow's errors while `paths` are read and worked on into one clear sentence.

    Raises:
        RecordError: a record file is damaged; the message names file and record where they can be found.
        LostWorkerError: another worker of the run does not answer.
        RunError: memory or disk ran out, or anything else.
    """
    try:
        yield
    except (MemoryError, tf.errors.ResourceExhaustedError) as error:
        raise _exhausted(error) from error
    except _LOST as error:
        raise LostWorkerError(f"Another worker of the run does not answer: {_said(error)}") from error
    except (tf.errors.OpError, UnicodeDecodeError) as error:
        # TensorFlow quotes what it could not parse, and fails once more where that is no text.
        damage = locate_damage([Path(path) for path in paths if "://" not in path])
        if damage is not None:
            raise RecordError(damage) from error
        raise _other(error, paths) from error


def _exhausted(error: Exception) -> RunError:
    if "No space left" in str(error):
        return RunError("The disk is full. Free some space and resume the run.")
    place = "GPU" if _IS_GPU.search(str(error)) else "machine"
    return RunError(f"The memory of the {place} ran out. Choose a smaller batch size or a smaller image size.")


def _other(error: tf.errors.OpError | UnicodeDecodeError, paths: Sequence[str]) -> CxrError:
    said = _said(error)
    reading = (tf.errors.DataLossError, tf.errors.NotFoundError, tf.errors.InvalidArgumentError, UnicodeDecodeError)
    if isinstance(error, reading):
        return RecordError(f"TensorFlow could not read the {len(paths)} TFRecord files, {paths[0]} …: {said}")
    return RunError(f"TensorFlow stopped: {said}")


def _said(error: Exception) -> str:
    """Return the first line of an error."""
    message = _NODE.sub("", str(getattr(error, "message", error)))
    return next((line.strip() for line in message.splitlines() if line.strip()), type(error).__name__)[:300]
