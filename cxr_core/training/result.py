"""What a training run came to; loads no TensorFlow."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TrainResult:
    """How a run ended.

    Attributes:
        status: "completed" or "cancelled".
        epochs: epochs that are complete.
        steps: steps done.
        best_epoch: the epoch (from 1) of the best model; 0 where none is complete.
        best_val_auc: its mean validation AUC; None where no label had both classes.
        best_model: weights of the best epoch; None before the first epoch's end, and for a worker that is not the
            chief. A `.keras` file lies beside each `.h5`.
        last_model: weights after the last step; None for a worker that is not the chief.
        stopped_early: the validation AUC had not risen for `early_stopping` epochs.
        started_from: what was taken of the weights that it began with, and what not; "" where they were random.
    """

    status: str
    epochs: int
    steps: int
    best_epoch: int
    best_val_auc: float | None
    best_model: Path | None
    last_model: Path | None
    stopped_early: bool
    started_from: str = ""
