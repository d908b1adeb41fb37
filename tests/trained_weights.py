"""What a training leaves: its weights, compared to the bit, and its losses."""

from pathlib import Path

import h5py
import numpy as np

from cxr_core.runs import service


def same_weights(home: Path, first: str, second: str) -> bool:
    """Say whether two models of the demo have the same weights, to the bit."""
    one, other = _weights(home, first), _weights(home, second)
    assert sum(array.dtype.kind == "f" for array in one.values()) > 20
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def _weights(home: Path, model: str) -> dict[str, np.ndarray]:
    found = {}
    with h5py.File(home / "sources" / "demo" / "models" / f"{model}.h5") as file:
        file.visititems(lambda path, item: found.update({path: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return found


def losses(run: str) -> list[tuple[int, float]]:
    """Return step and loss of each step that the run tells of, as they came."""
    return [(row["step"], row["loss"]) for row in service.read_metrics(run) if "loss" in row]
