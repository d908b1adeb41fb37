"""A finding as it stands in one study."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sign:
    """One finding as it stands in one study, the same for all its images.

    Attributes:
        strength: how visible it is, 0 to 1.
        side: -1 the patient's right (the image's left in the frontal view), 1 the left.
        spots: 12 numbers in 0..1 that place it and vary its form.
    """

    strength: float
    side: int
    spots: tuple[float, ...]


def draw_sign(rng: np.random.Generator, strength: float) -> Sign:
    """Draw where and in what form a finding of this strength stands."""
    return Sign(strength, int(rng.choice((-1, 1))), tuple(rng.random(12).tolist()))
