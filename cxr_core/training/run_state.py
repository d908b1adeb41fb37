"""Everything that a run changes as it goes on: network, optimizer, policy and position; and its checkpoints."""

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from cxr_core.atomic import drop_leftovers
from cxr_core.errors import RunError
from cxr_core.training.adam import Adam
from cxr_core.training.checkpoints import Checkpoint, Position, load_checkpoint, save_checkpoint
from cxr_core.training.policy_tables import PolicyTables
from cxr_core.training.weight_average import WeightAverage
from cxr_core.training.workers import Workers


class RunState:
    """The state of a run, to be saved and to be taken up again to the bit.

    Attributes:
        position: where the run stands.
    """

    def __init__(
        self, network: Any, optimizer: Adam, policy: PolicyTables, workers: Workers, average: WeightAverage
    ) -> None:
        self.network, self.policy, self.workers = network, policy, workers
        self._moving = [*optimizer.variables, *average.variables]
        self.position = Position()

    def restore(self, folder: Path) -> None:
        """Take up the newest good checkpoint in the chief's `folder`, if there is one.

        Raises:
            RunError: the checkpoint belongs to another network.
        """
        found = None
        if self.workers.is_chief:
            drop_leftovers(folder, "step-")
            found = load_checkpoint(folder, _warn)
        if not self.workers.any(found is not None):
            return
        checkpoint = self._agreed(found or self._checkpoint())
        _assign(self.network.variables, checkpoint.network)
        _assign(self._moving, checkpoint.optimizer)
        self.policy.restore(checkpoint.policy)
        self.position = checkpoint.position

    def save(self, folder: Path) -> None:
        """Write a checkpoint, if this is the worker that writes."""
        if self.workers.is_chief:
            save_checkpoint(folder, self._checkpoint())

    def _checkpoint(self) -> Checkpoint:
        network, optimizer = _values(self.network.variables), _values(self._moving)
        return Checkpoint(self.position, network, optimizer, self.policy.arrays())

    def _agreed(self, checkpoint: Checkpoint) -> Checkpoint:
        """Return the chief's checkpoint, given this worker's own, which has the same shapes."""
        agree = self.workers.from_chief
        policy = dict(zip(checkpoint.policy, agree(list(checkpoint.policy.values())), strict=True))
        position = Position.from_array(agree([checkpoint.position.as_array()])[0])
        return Checkpoint(position, agree(checkpoint.network), agree(checkpoint.optimizer), policy)


def _warn(text: str) -> None:  # to the run's log, which is this process's standard error
    sys.stderr.write(f"{datetime.now():%Y-%m-%d %H:%M:%S} [warning] {text}\n")
    sys.stderr.flush()


def _values(variables: Sequence[Any]) -> list[Any]:
    return [np.asarray(variable) for variable in variables]


def _assign(variables: Sequence[Any], arrays: Sequence[Any]) -> None:
    shapes = [tuple(variable.shape) for variable in variables]
    if shapes != [array.shape for array in arrays]:
        raise RunError("The checkpoint belongs to another network. Start a new run instead of resuming this one.")
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
