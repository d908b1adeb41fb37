"""The u that each training image brings along, where a policy has labels of such a kind.

A run keeps them in its folder from its first start on, so that it goes on with the same ones. They are whole numbers in
units of 2^-24, which keep every float32 of [0, 1] that matters and stand beside the label codes of a batch.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from cxr_core.arrays import FloatArray
from cxr_core.atomic import write_bytes
from cxr_core.schema import LABELS

UNITS = 2.0**24
#: An image without a u of its own.
NONE = -1
_FILE = "row_targets.int32"


def as_units(u: FloatArray) -> npt.NDArray[np.int32]:
    """Return u in [0, 1], of any shape, as whole numbers; `NONE` where it is nan."""
    return np.where(np.isnan(u), NONE, np.round(np.nan_to_num(u) * UNITS)).astype(np.int32)


def write_row_targets(folder: Path, units: npt.NDArray[np.int32]) -> None:
    """Keep the whole numbers (images, 14), in the order of the training records, in a run's folder."""
    write_bytes(folder / _FILE, units.astype("<i4").tobytes())


def read_row_targets(folder: Path) -> npt.NDArray[np.int32] | None:
    """Return what `write_row_targets` kept, None where there is nothing."""
    file = folder / _FILE
    return np.frombuffer(file.read_bytes(), "<i4").reshape(-1, len(LABELS)) if file.is_file() else None
