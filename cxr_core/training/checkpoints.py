"""Where a run stands, on the disk, so that it can go on after a stop, a crash or a power cut.

A checkpoint is one .npz file (weights, optimizer, policy, position), written atomically; the newest two are kept. Zip
keeps a CRC-32 of each array, which is checked when it is read: a damaged file is passed over for the one before.
"""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cxr_core.arrays import FloatArray
from cxr_core.atomic import write_bytes

_KEPT = 2
_POLICY = "policy_"


@dataclass(frozen=True)
class Position:
    """How far training is.

    Attributes:
        epoch: epochs that are complete, validation included.
        step: steps done since the start.
        step_in_epoch: steps done in the epoch that is under way.
        best_auc: best mean validation AUC so far; None before the first that is defined.
        best_epoch: the epoch (from 1) of the best model; 0 before the first.
        stale: epochs since the AUC rose or a plateau cut the learning rate.
        cuts: how often a plateau cut it.
    """

    epoch: int = 0
    step: int = 0
    step_in_epoch: int = 0
    best_auc: float | None = None
    best_epoch: int = 0
    stale: int = 0
    cuts: int = 0

    def as_array(self) -> FloatArray:
        """Return the position as numbers, an absent AUC as -1, to be sent to other workers."""
        auc = -1.0 if self.best_auc is None else self.best_auc
        whole = (self.best_epoch, self.stale, self.cuts)
        return np.array([self.epoch, self.step, self.step_in_epoch, auc, *whole], np.float64)

    @staticmethod
    def from_array(numbers: FloatArray) -> "Position":
        """Return the position that `as_array` described."""
        auc = float(numbers[3])
        epoch, step, step_in_epoch, _, *whole = (int(number) for number in numbers)
        return Position(epoch, step, step_in_epoch, None if auc < 0 else auc, *whole)


Arrays = list[npt.NDArray[Any]]


@dataclass(frozen=True)
class Checkpoint:
    """A position with the values of all variables of the network and of the optimizer, in their order.

    `policy` is what a policy that learns needs to go on (`PolicyTables.arrays`).
    """

    position: Position
    network: Arrays
    optimizer: Arrays
    policy: dict[str, npt.NDArray[Any]] = field(default_factory=dict)


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint into `folder`, drop all but the newest two, and return its path."""
    arrays: dict[str, Any] = {f"network_{i:05d}": array for i, array in enumerate(checkpoint.network)}
    arrays |= {f"optimizer_{i:05d}": array for i, array in enumerate(checkpoint.optimizer)}
    arrays |= {f"{_POLICY}{name}": array for name, array in checkpoint.policy.items()}
    content = io.BytesIO()
    np.savez(content, position=np.array(json.dumps(asdict(checkpoint.position))), **arrays)
    position = checkpoint.position
    # A cancelled validation and a complete one stand at the same step, so the epoch is part of the name.
    path = folder / f"step-{position.step:09d}-epoch-{position.epoch:05d}.npz"
    write_bytes(path, content.getvalue())
    for old in _newest_first(folder)[_KEPT:]:
        old.unlink(missing_ok=True)
    return path


def load_checkpoint(folder: Path, warn: Callable[[str], None] = lambda text: None) -> Checkpoint | None:
    """Return the newest checkpoint in `folder` that is whole, or None; `warn` is told of each that is not."""
    for path in _newest_first(folder):
        checkpoint = _read(path)
        if checkpoint is not None:
            return checkpoint
        warn(f"The checkpoint {path.name} is damaged, so the run goes on from the one before.")
    return None


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*.npz"), reverse=True)


def _read(path: Path) -> Checkpoint | None:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            position = Position(**json.loads(str(file["position"])))
            names = sorted(file.files)
            network = [file[name] for name in names if name.startswith("network_")]
            optimizer = [file[name] for name in names if name.startswith("optimizer_")]
            policy = {name.removeprefix(_POLICY): file[name] for name in names if name.startswith(_POLICY)}
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None
    return Checkpoint(position, network, optimizer, policy)
