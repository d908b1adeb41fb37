"""What the network is worth after an epoch, on the whole validation set."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from cxr_core.schema import LABELS, Value
from cxr_core.training.loss import weighted_cross_entropy_of_arrays
from cxr_core.uncertainty import Policy, uniform_policy


@dataclass(frozen=True)
class ValidationFigures:
    """Loss under the run's policy, loss with uncertain labels ignored, and mean AUC of the labels that have one."""

    loss: float
    loss_certain: float
    auc: float | None

    def row(self) -> dict[str, float | None]:
        """Return the figures by their names in the metrics rows."""
        return {"val_loss": self.loss, "val_loss_certain": self.loss_certain, "val_auc": self.auc}


def validation_figures(logits: npt.NDArray[Any], codes: npt.NDArray[Any], policy: Policy) -> ValidationFigures:
    """Return the figures for logits and label codes, both of shape (images, 14).

    Losses of different policies are on different scales; `loss_certain` and `auc` are not, and can be compared.
    """
    return ValidationFigures(
        loss=_loss(logits, codes, policy),
        loss_certain=_loss(logits, codes, uniform_policy(0.0, 0.0)),
        auc=mean_auc(logits, codes),
    )


def mean_auc(logits: npt.NDArray[Any], codes: npt.NDArray[Any]) -> float | None:
    """Return the mean over labels of the AUC of positive against negative or not mentioned, uncertain ones dropped.

    Labels of one class are left out; None when there is no other.
    """
    found = []
    for label in range(len(LABELS)):
        certain = codes[:, label] != Value.uncertain
        positive = codes[certain, label] == Value.positive
        if positive.any() and not positive.all():
            found.append(float(roc_auc_score(positive, logits[certain, label].astype(np.float64))))
    return float(np.mean(found)) if found else None


def _loss(logits: npt.NDArray[Any], codes: npt.NDArray[Any], policy: Policy) -> float:
    labels = np.arange(len(LABELS))
    return weighted_cross_entropy_of_arrays(policy.targets()[codes, labels], policy.weights()[codes, labels], logits)
