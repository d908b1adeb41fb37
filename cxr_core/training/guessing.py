"""How far the mean validation AUC of a network that knows nothing strays from .5: what a figure must beat to count."""

import math

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from cxr_core.arrays import FloatArray
from cxr_core.schema import Value

#: Half the width of a 95 % range, in standard deviations.
_NORMAL_95 = 1.96


def guessing_spread(logits: npt.NDArray[np.floating], codes: npt.NDArray[np.integer]) -> float | None:
    """Return d such that the mean AUC of guessing lies within .5 ± d in 95 of 100 validations; None without an AUC.

    The null distribution is that of the same logits dealt out to the images anew: each label's AUC has the variance of
    Mann and Whitney (1947), (P + N + 1) / (12 P N), and two labels covary as their positives and their ranks do (Hájek
    and Šidák 1967, linear rank statistics under permutation). Images count as independent, so where patients have
    several, d is rather small.

    Args:
        logits: shape (images, 14).
        codes: label values of the same shape; uncertain ones are dropped label by label.
    """
    certain, positive = (codes != Value.uncertain) & (codes >= 0), codes == Value.positive
    n_positive, n_negative = positive.sum(axis=0), (certain & ~positive).sum(axis=0)
    told = (n_positive > 0) & (n_negative > 0)
    if not told.any():
        return None
    p, n = n_positive[told].astype(float), n_negative[told].astype(float)
    deviations = np.sqrt((p + n + 1) / (12 * p * n))
    together = _correlations(rankdata(logits[:, told], axis=0)) * _correlations(positive[:, told].astype(float))
    variance = float(deviations @ together @ deviations) / int(told.sum()) ** 2
    return _NORMAL_95 * math.sqrt(max(variance, 0.0))


def learned_nothing(auc: float | None, spread: float | None) -> str | None:
    """Return in a sentence that a validation AUC is no better than guessing, or None where it is or nobody knows."""
    if auc is None or spread is None or auc > 0.5 + spread:
        return None
    return (
        f"It learned nothing that shows: after the last epoch the validation AUC is {auc:.3f}, and guessing alone "
        f"comes to {0.5 - spread:.3f} to {0.5 + spread:.3f} on these images. Train longer, or look at learning rate, "
        "labels and images."
    )


def _correlations(columns: FloatArray) -> FloatArray:
    """Return the correlations of columns (n, k), 0 with one that does not vary, 1 on the diagonal."""
    centred = columns - columns.mean(axis=0)
    lengths = np.sqrt((centred**2).sum(axis=0))
    unit = np.divide(centred, lengths, out=np.zeros_like(centred), where=lengths > 0)
    found: FloatArray = unit.T @ unit
    np.fill_diagonal(found, 1.0)
    return found
