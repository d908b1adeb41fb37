"""Resamples of the patients: the draws behind every interval.

Images of one patient are alike, so whole patients are drawn with replacement, not images (Field & Welsh 2007). A draw
is kept as one weight per patient, the number of times that it was drawn. The seed is fixed, so the same question gets
the same answer, and since the draws depend on nothing but the number of patients, all labels and all models that are
judged on the same patients are judged on the same resamples: differences and means can be taken resample by resample.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from cxr_core.arrays import FloatArray, IntArray

#: Seed of every bootstrap: the year of the label tables.
SEED = 2019

# Weights of one block of resamples: 64 MB. A block that holds them all is kept for the next question.
_BLOCK_ELEMENTS = 2**23


def patient_clusters(patients: Any) -> tuple[IntArray, int]:
    """Return each row's patient as an index into the sorted patients, shape (n,), and the number of patients."""
    patients = np.asarray(patients)
    # Tables have the rows of a patient one below the other: of each such run one is sorted.
    first = np.flatnonzero(np.append(True, patients[1:] != patients[:-1])[: patients.size])
    unique, of_runs = np.unique(patients[first], return_inverse=True)
    return np.repeat(of_runs.astype(np.int64), np.diff(first, append=patients.size)), unique.size


def patient_weights(
    patients: int, resamples: int, block: int | None = None, seed: int = SEED
) -> Iterator[tuple[int, FloatArray]]:
    """Yield the number of the first resample of each block, and its draws.

    Args:
        patients: how many patients there are, and how many each resample draws.
        resamples: how many resamples there are in all.
        block: resamples in one block; as many as fit in 64 MB when it is not given. The draws do not depend on it.
        seed: of the generator.

    Yields:
        start, weights: `weights[p, r]` says how often resample `start + r` drew patient `p`, (patients, up to `block`).
    """
    size = block or max(1, _BLOCK_ELEMENTS // max(patients, 1))
    if size >= resamples:
        yield 0, _all_weights(patients, resamples, seed)
        return
    generator = np.random.default_rng(seed)
    for start in range(0, resamples, size):
        yield start, _drawn(generator, patients, min(size, resamples - start))


@lru_cache(maxsize=4)
def _all_weights(patients: int, resamples: int, seed: int) -> FloatArray:
    weights = _drawn(np.random.default_rng(seed), patients, resamples)
    weights.flags.writeable = False
    return weights


def _drawn(generator: np.random.Generator, patients: int, resamples: int) -> FloatArray:
    drawn = generator.integers(patients, size=(resamples, patients)) + patients * np.arange(resamples)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=resamples * patients).reshape(resamples, patients)
    return np.ascontiguousarray(counts.T, dtype=np.float64)
