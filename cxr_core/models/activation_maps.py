"""Where a network looks: its maps of one image as plain arrays, how they travel and how they are drawn. No TensorFlow.

`maps` are Grad-CAM's (Selvaraju et al. 2017): of each label, the last feature maps weighted by the mean gradient of the
label's logit, without what is below 0. `shares` say which place made the score: of each label, gradient times feature,
summed over the features. Where features are max-pooled, as in the notebook's network, only the place of each maximum
has a gradient, and the shares of all places together with the head's bias are the logit.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cxr_core.schema import LABELS

_FIELDS = ("maps", "shares", "logits")


@dataclass(frozen=True)
class LabelMap:
    """The map of one label.

    Attributes:
        map: (h, w) Grad-CAM, 0 or more; all 0 where nothing speaks for the label.
        place: (row, column) of the place that adds most to the score.
        share: what it adds to the logit.
        logit: the network's output.
    """

    map: npt.NDArray[np.float32]
    place: tuple[int, int]
    share: float
    logit: float


@dataclass(frozen=True, eq=False)
class ActivationMaps:
    """The maps of all 14 labels of one image: `maps` and `shares` (14, h, w), `logits` (14,), each float32."""

    maps: npt.NDArray[np.float32]
    shares: npt.NDArray[np.float32]
    logits: npt.NDArray[np.float32]

    def of(self, label: str) -> LabelMap:
        """Return the map of one of the 14 labels."""
        number = LABELS.index(label)
        shares = self.shares[number]
        row, column = divmod(int(shares.argmax()), shares.shape[1])
        return LabelMap(self.maps[number], (row, column), float(shares[row, column]), float(self.logits[number]))

    def as_lists(self) -> dict[str, Any]:
        """Return the arrays as lists, for JSON; float32 numbers survive it to the bit."""
        return {name: getattr(self, name).tolist() for name in _FIELDS}

    @classmethod
    def from_arrays(cls, arrays: Any) -> "ActivationMaps":
        """Return maps out of a mapping of arrays or lists.

        Raises:
            ValueError, KeyError, TypeError: they are not what `as_lists` gives.
        """
        maps, shares, logits = (np.asarray(arrays[name], np.float32) for name in _FIELDS)
        if maps.ndim != 3 or maps.shape != shares.shape or logits.shape != maps.shape[:1] or len(maps) != len(LABELS):
            raise ValueError("maps of another shape")
        return cls(maps, shares, logits)
