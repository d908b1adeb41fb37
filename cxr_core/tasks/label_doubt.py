"""Which values of one label are in doubt, by a model's scores of images that it was not trained on."""

import numpy as np

from cxr_core.arrays import FloatArray
from cxr_core.errors import DataError, UnknownNameError, UsageError
from cxr_core.evaluation.binary import certain_rows, label_codes
from cxr_core.evaluation.doubt import LabelDoubt, label_doubt, no_doubt
from cxr_core.evaluation.image_groups import Picked
from cxr_core.evaluation.probabilities import logit
from cxr_core.warehouse.answers import Joined

#: A model has learnt the labels of these images, so that it doubts none of them.
LEARNT = "train"


def check_not_learnt(dataset: str) -> None:
    """Raise `UsageError` for the images whose labels a model may have learnt."""
    if dataset == LEARNT:
        raise UsageError(
            f"Doubt needs predictions of images that a model was not trained on. Received: {LEARNT}, whose labels it "
            "has learnt. Choose valid or test."
        )


def doubt_of(joined: Joined, model: str, label: str, dataset: str) -> LabelDoubt:
    """Return which values of a label are in doubt, by heads on the model's scores that are cross-fitted by patient.

    Raises:
        UsageError: the model may have been trained on these images.
        UnknownNameError: the model does not predict the label.
        TableError: a value is no label code.
    """
    check_not_learnt(dataset)
    if label not in joined.labels:
        raise UnknownNameError(f"label of model {model}", label, joined.labels)
    values, scores = label_codes(joined.frame[f"true_{label}"]), joined.frame[f"predicted_{label}"]
    if why := certain_rows(values, scores).why:
        return no_doubt(why)
    return label_doubt(values, _features(joined, label), joined.frame["patient"].to_numpy(np.int64))


def doubtful_images(joined: Joined, model: str, label: str, dataset: str) -> Picked:
    """Return the rows of images whose label is in doubt, with the reasons; raises as `doubt_of`, and `DataError`."""
    found = doubt_of(joined, model, label, dataset)
    if found.why:
        raise DataError(f"There is no group doubtful of this label: {found.why}.")
    return Picked(found.rows, found.words())


def _features(joined: Joined, label: str) -> FloatArray:
    """Return the scores (n, m) of the label and of those others that no row lacks, as logits where they are such."""
    own = joined.frame[f"predicted_{label}"].to_numpy(np.float64)
    others = [joined.frame[f"predicted_{name}"].to_numpy(np.float64) for name in joined.labels if name != label]
    there = np.isfinite(own)
    columns = np.stack([own, *(one for one in others if np.isfinite(one[there]).all())], axis=1)
    if joined.scale == "probability":
        columns[there] = logit(columns[there])
    return columns
