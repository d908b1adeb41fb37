"""What a training run needs from whoever started it; loads no TensorFlow."""

from pathlib import Path
from typing import Any, Protocol


class RunReporter(Protocol):
    """Where a run writes and what it tells about itself while it works."""

    @property
    def folder(self) -> Path:
        """The run's own folder: checkpoints and model files go there; `metrics.jsonl` in it is the reporter's."""
        ...

    def metrics(self, row: dict[str, Any]) -> None:
        """Append one row of figures to `metrics.jsonl`, opened for appending."""
        ...

    def resumed(self, step: int, epoch: int) -> None:
        """Hear that the run goes on after `step` and `epoch` complete epochs: rows of what comes again are dropped."""
        ...

    def progress(self, step: int, steps: int, epoch: int | None = None, message: str = "") -> None:
        """Tell how far the run is: `step` of `steps` in all."""
        ...

    def cancelled(self) -> bool:
        """Say whether the run was asked to stop; called at every step, so it must be quick."""
        ...
