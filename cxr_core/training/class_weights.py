"""Class weights: how much the positive part of each label's target counts in the loss.

With a factor f for positive, an element of weight w and target t has the loss

    -w (f t log σ(z) + (1 - t) log(1 - σ(z))),

as `pos_weight` has it in PyTorch. That is the plain loss of the target f t / s and the weight w s with s = f t + 1 - t,
so that it goes through the tables of any policy, also where t is not 0 or 1.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from cxr_core.arrays import IntArray
from cxr_core.schema import LABELS, Value
from cxr_core.uncertainty import Policy

_LARGEST = 100.0


def balancing_factors(counts: IntArray, policy: Policy) -> npt.NDArray[np.float32]:
    """Return for each label what makes its certain positives weigh as much as its certain negatives, (14,).

    Each is between 1/100 and 100, and 1 where one of the two is missing.

    Args:
        counts: (4, 14) training images by label value and label.
        policy: its weights say whether images without a mention count as negative.
    """
    mass = counts * policy.weights()
    mass[Value.uncertain] = 0.0
    positive = (mass * policy.targets()).sum(axis=0)
    negative = mass.sum(axis=0) - positive
    both = (positive > 0) & (negative > 0)
    factors = np.divide(negative, positive, out=np.ones(len(LABELS)), where=both)
    return np.clip(factors, 1 / _LARGEST, _LARGEST).astype(np.float32)


def with_factors(targets: Any, weights: Any, factors: Any) -> tuple[Any, Any]:
    """Return the targets and weights, each (…, 14), that make the plain loss the one with these factors; see above."""
    share = targets * (factors - 1.0) + 1.0
    return targets * factors / share, weights * share
