"""The metric rows of training steps: which steps get one, and how fast they went.

Whether a step has a row depends on its number alone, so that a run that was stopped and resumed has the same rows as
one that was not. Losses stay on the device for half a second, so that it need not wait for whoever reads them.
"""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxr_core.errors import RunError

_MOST_ROWS = 200_000
_SECONDS_BETWEEN_WRITES = 0.5


@dataclass(frozen=True)
class _Step:
    number: int
    ended: float
    loss: Any
    rate: float
    figures: dict[str, Any]


class StepRows:
    """The steps since rows were last written.

    Args:
        batch_size: images of one step.
        steps: steps of the whole run.
        steps_per_epoch: to tell the batch of a step.
    """

    def __init__(self, batch_size: int, steps: int, steps_per_epoch: int) -> None:
        self._batch_size, self._steps_per_epoch = batch_size, steps_per_epoch
        self._every = 1 + (steps - 1) // _MOST_ROWS
        self.start()

    def start(self) -> None:
        """Begin to count time anew."""
        self._steps: list[_Step] = []
        self._began = time.monotonic()
        self._waited = 0.0

    def has_row(self, step: int) -> bool:
        """Say whether step number `step` (from 1) gets a row."""
        return step == 1 or step % self._every == 0

    def waited(self, seconds: float) -> None:
        """Count time in which there was no batch to work on."""
        self._waited += seconds

    def add(self, step: int, loss: Any, rate: float, figures: dict[str, Any]) -> None:
        """Note a step: its loss, which may still be computed, its learning rate, and further figures for its row."""
        self._steps.append(_Step(step, time.time(), loss, rate, figures))

    def are_due(self) -> bool:
        """Say whether the rows should be written now: the first at once, others every half second."""
        first = bool(self._steps) and self._steps[-1].number == 1
        return first or time.monotonic() - self._began >= _SECONDS_BETWEEN_WRITES

    def take(self) -> list[dict[str, Any]]:
        """Return the rows of the steps noted, and start anew.

        Each is `{"step", "epoch", "time", "loss", "learning_rate", "images_per_second", "data_wait"}` and further
        figures; `time` is in seconds since 1970, `data_wait` the share of time in which there was no batch.

        Raises:
            RunError: a loss is no number; the message names its step and batch.
        """
        if not self._steps:
            return []
        losses = [float(step.loss) for step in self._steps]
        seconds = max(time.monotonic() - self._began, 1e-9)
        pace = {
            "images_per_second": round(len(losses) * self._batch_size / seconds, 2),
            "data_wait": round(min(1.0, self._waited / seconds), 4),
        }
        rows = [self._row(step, loss) | pace | step.figures for step, loss in zip(self._steps, losses, strict=True)]
        self.start()
        return [row for row in rows if self.has_row(int(row["step"]))]

    def _row(self, step: _Step, loss: float) -> dict[str, float]:
        epoch, batch = divmod(step.number - 1, self._steps_per_epoch)
        if not np.isfinite(loss):
            raise RunError(
                f"The loss became {loss} in step {step.number}, batch {batch + 1} of epoch {epoch + 1}. "
                "Choose a lower learning rate and start a new run."
            )
        place = {"step": step.number, "epoch": epoch + 1, "time": round(step.ended, 3)}
        return place | {"loss": loss, "learning_rate": step.rate}
