"""The TensorBoard logs of a run."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import tensorflow as tf

_PLACE = ("step", "epoch", "time")


class Board:
    """Where figures go besides the metric rows: a folder of the run under `tensorboard`, or nowhere where that is "".

    Figures are written while `opened()` is entered.
    """

    def __init__(self, tensorboard: str, run: str) -> None:
        self._folder = f"{tensorboard.rstrip('/')}/{run}" if tensorboard else ""

    def opened(self) -> AbstractContextManager[Any]:
        """Return the context in which `write` may be called."""
        if not self._folder:
            return nullcontext()
        writer: AbstractContextManager[Any] = tf.summary.create_file_writer(self._folder).as_default()
        return writer

    def write(self, row: dict[str, Any]) -> None:
        """Write the numbers of a metric row."""
        if not self._folder:
            return
        for name, value in row.items():
            if name not in _PLACE and isinstance(value, (int, float)):
                tf.summary.scalar(name, value, step=row["step"])
