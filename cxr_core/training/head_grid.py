"""Which policies are tried on frozen features: a grid over u and w, and the named ones that stand beside it."""

from dataclasses import dataclass

import numpy as np

from cxr_core.arrays import IntArray
from cxr_core.training.heads import HeadTables
from cxr_core.uncertainty import MASK_BLANKS, Policy, named_policy, uniform_policy

#: The values of u and of w.
STEPS: tuple[float, ...] = tuple(step / 10 for step in range(11))
PAIRS: tuple[tuple[float, float], ...] = tuple((u, w) for u in STEPS for w in STEPS)
#: Strategies that are no pair of the grid.
BESIDE: tuple[str, ...] = ("hybrid", MASK_BLANKS)
#: What gains are over: uncertain images left out.
REFERENCE = (0.0, 0.0)


@dataclass(frozen=True, eq=False)
class HeadGrid:
    """The distinct heads of a label: `tables` of h heads, and which of them each pair, and each strategy beside, is.

    With w = 0 u says nothing, so those pairs are one head.
    """

    tables: HeadTables
    of_pairs: IntArray
    of_beside: IntArray

    @property
    def reference(self) -> int:
        """Which head the gains are over."""
        return int(self.of_pairs[PAIRS.index(REFERENCE)])


def head_grid() -> HeadGrid:
    """Return the heads of the whole grid and of the strategies beside it."""
    policies = [uniform_policy(u, w) for u, w in PAIRS] + [named_policy(name) for name in BESIDE]
    columns = np.stack([_column(policy) for policy in policies])
    distinct, place = np.unique(columns, axis=0, return_inverse=True)
    place = place.ravel().astype(np.int64)
    tables = HeadTables(distinct[:, :4].T.astype(np.float32), distinct[:, 4:].T.astype(np.float32))
    return HeadGrid(tables, place[: len(PAIRS)], place[len(PAIRS) :])


def _column(policy: Policy) -> np.ndarray:
    """Return targets and weights (8,) of the four codes; a target of no weight is 0."""
    targets, weights = policy.targets()[:, 0], policy.weights()[:, 0]
    return np.concatenate([np.where(weights > 0, targets, 0), weights])
