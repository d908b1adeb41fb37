"""What the network is worth after an epoch, on the whole validation set."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cxr_core.arrays import BoolArray
from cxr_core.schema import LABELS, Value
from cxr_core.training.guessing import guessing_spread
from cxr_core.training.loss import weighted_cross_entropy_of_arrays
from cxr_core.uncertainty import Policy, uniform_policy


@dataclass(frozen=True)
class ValidationFigures:
    """Loss under the run's policy, loss with uncertain labels ignored, and the AUC of each label.

    Attributes:
        aucs: by label; None where only one class is there.
        guessing: how far from .5 the mean AUC of guessing strays (`guessing_spread`).
    """

    loss: float
    loss_certain: float
    aucs: dict[str, float | None]
    guessing: float | None = None

    @property
    def auc(self) -> float | None:
        """Mean AUC of the labels that have one; None where none has."""
        defined = [auc for auc in self.aucs.values() if auc is not None]
        return float(np.mean(defined)) if defined else None

    def row(self) -> dict[str, Any]:
        """Return the figures by their names in the metric rows; `val_auc_labels` has the 14 in schema order."""
        means = {"val_loss": self.loss, "val_loss_certain": self.loss_certain, "val_auc": self.auc}
        means |= {"val_auc_guessing": self.guessing}
        return means | {"val_auc_labels": list(self.aucs.values())}


def validation_figures(logits: npt.NDArray[Any], codes: npt.NDArray[Any], policy: Policy) -> ValidationFigures:
    """Return the figures for logits and label codes, both of shape (images, 14).

    Losses of different policies are on different scales; `loss_certain` and `auc` are not, and can be compared.
    """
    return ValidationFigures(
        loss=_loss(logits, codes, policy),
        loss_certain=_loss(logits, codes, uniform_policy(0.0, 0.0)),
        aucs=label_aucs(logits, codes),
        guessing=guessing_spread(logits, codes),
    )


def label_aucs(logits: npt.NDArray[Any], codes: npt.NDArray[Any]) -> dict[str, float | None]:
    """Return the AUC of positive against negative or not mentioned for each label, uncertain ones dropped.

    None for a label of one class.
    """
    found: dict[str, float | None] = {}
    for number, label in enumerate(LABELS):
        certain = (codes[:, number] != Value.uncertain) & (codes[:, number] >= 0)
        found[label] = _auc(logits[certain, number], codes[certain, number] == Value.positive)
    return found


def is_better(auc: float | None, best: float | None) -> bool:
    """Say whether an AUC is above the best so far; one that is not defined is not."""
    return auc is not None and (best is None or auc > best)


def _auc(scores: npt.NDArray[Any], positive: BoolArray) -> float | None:
    """Return the share of pairs in the right order, ties counted half, from ranks (Mann & Whitney 1947).

    Not scikit-learn's: loading it takes longer than a small network needs for its first steps.
    """
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if n_positive == 0 or n_negative == 0:
        return None
    _, group, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    above = ranks[group][positive].sum() - n_positive * (n_positive + 1) / 2
    return float(above / (n_positive * n_negative))


def _loss(logits: npt.NDArray[Any], codes: npt.NDArray[Any], policy: Policy) -> float:
    labels, exists, known = np.arange(len(LABELS)), codes >= 0, np.maximum(codes, 0)
    targets, weights = policy.targets()[known, labels], policy.weights()[known, labels] * exists
    return weighted_cross_entropy_of_arrays(targets, weights, logits, codes)
