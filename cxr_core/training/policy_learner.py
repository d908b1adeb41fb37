"""How far u and w move, given the directions that look-aheads found.

u moves after each look-ahead, by Adam's rule, because the gradients of rare labels are a thousand times smaller than
those of common ones; w once an epoch, by at most 0.2, against the sum of its gradients in units of their spread. Both
stay in [0, 1]. Both rest during the first epoch (the first quarter of a shorter run), because what the look-ahead tells
is how the uncertain labels pull a network away from what the certain ones have taught it. Where the certain labels of
similar images are mostly positive, u rises, else it falls; it comes to rest at the mean probability that the network
gives to the uncertain images, as far as it has learned that from the certain ones. That is their share only if hedging
does not depend on the truth (`evaluation/without_readings.py` has the other end).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from cxr_core.arrays import FloatArray
from cxr_core.schema import LABELS
from cxr_core.uncertainty import Policy

_U_STEP = 0.03
#: The steps of u shrink with the root of the number of look-aheads, from about here on.
_U_STEPS_UNSHRUNK = 50.0
_MEMORY, _SQUARE_MEMORY = 0.9, 0.99
_W_STEP, _MOST_SPREADS = 0.1, 2.0
_STATE = ("u", "w", "mean", "square", "count", "w_sum", "w_square")


class PolicyLearner:
    """u and w of each label, and how they move. Holds arrays of shape (14,) only, so that a checkpoint keeps it all."""

    def __init__(self, start: Policy) -> None:
        self._start = start
        self._state: dict[str, FloatArray] = {name: np.zeros(len(LABELS)) for name in _STATE}
        self._state |= {"u": np.array(start.u, np.float64), "w": np.array(start.w, np.float64)}

    @property
    def u(self) -> npt.NDArray[np.float32]:
        """The targets now, for the network."""
        return self._state["u"].astype(np.float32)

    @property
    def w(self) -> npt.NDArray[np.float32]:
        """The weights now, for the network."""
        return self._state["w"].astype(np.float32)

    def learn(self, gradient_u: npt.NDArray[Any], gradient_w: npt.NDArray[Any], seen: npt.NDArray[Any]) -> None:
        """Move u of the labels that were `seen` uncertain in the batch, and note the gradients of w."""
        state, on = self._state, np.asarray(seen, bool)
        g = np.asarray(gradient_u, np.float64)
        state["count"] = state["count"] + on
        state["mean"] = np.where(on, _MEMORY * state["mean"] + (1 - _MEMORY) * g, state["mean"])
        state["square"] = np.where(on, _SQUARE_MEMORY * state["square"] + (1 - _SQUARE_MEMORY) * g**2, state["square"])
        count = np.maximum(state["count"], 1)
        mean = state["mean"] / (1 - _MEMORY**count)
        square = state["square"] / (1 - _SQUARE_MEMORY**count)
        size = _U_STEP / np.sqrt(1 + count / _U_STEPS_UNSHRUNK)
        moved = state["u"] - size * mean / (np.sqrt(square) + np.finfo(np.float32).tiny)
        state["u"] = np.where(on, np.clip(moved, 0, 1), state["u"])
        g = np.where(on, np.asarray(gradient_w, np.float64), 0)
        state["w_sum"] = state["w_sum"] + g
        state["w_square"] = state["w_square"] + g**2

    def end_epoch(self) -> None:
        """Move w against the sum of its gradients over the epoch, divided by the root of the sum of their squares.

        That ratio is about standard normal where w makes no difference, and is cut at 2.
        """
        state = self._state
        spreads = state["w_sum"] / np.sqrt(np.maximum(state["w_square"], np.finfo(np.float64).tiny))
        state["w"] = np.clip(state["w"] - _W_STEP * np.clip(spreads, -_MOST_SPREADS, _MOST_SPREADS), 0, 1)
        state["w_sum"], state["w_square"] = np.zeros(len(LABELS)), np.zeros(len(LABELS))

    def policy(self) -> Policy:
        """Return the policy as it is now."""
        u, w = (tuple(round(float(x), 6) for x in self._state[name]) for name in ("u", "w"))
        return replace(self._start, u=u, w=w)

    def row(self) -> dict[str, list[float]]:
        """Return u and w as a metrics row has them: 14 numbers each, in schema order."""
        policy = self.policy()
        return {"u": list(policy.u), "w": list(policy.w)}

    def state(self) -> dict[str, FloatArray]:
        """Return everything that the next move depends on, for a checkpoint."""
        return {name: array.copy() for name, array in self._state.items()}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Go on from what `state` returned."""
        self._state = {name: np.array(state[name], np.float64) for name in _STATE}
