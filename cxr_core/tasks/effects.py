"""What u and w did to the predictions of one label."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxr_core.arrays import IntArray
from cxr_core.errors import UnknownNameError, UsageError
from cxr_core.evaluation.effects import Effects, effects_of_treatments
from cxr_core.schema import check_label
from cxr_core.settings import settings
from cxr_core.sources.registry import get_source
from cxr_core.tasks.compare import shared_rows
from cxr_core.tasks.evaluate import joined_predictions, predicted

__all__ = ["Effects", "treatment_effects"]


def treatment_effects(
    source_name: str,
    models: Sequence[str],
    baseline: str,
    label: str,
    dataset: str = "valid",
    view: str | None = None,
) -> Effects:
    """Set models that differ in (u, w) beside each other on the images that all of them predict.

    Args:
        source_name: the source.
        models: two models or more, of one view and one scale; the baseline among them.
        baseline: what the others are set against; best the model that ignored uncertain labels, which never saw them.
        label: one of the 14 labels, which all models must have.
        dataset: train, valid or test.
        view: only images of this view.

    Raises:
        UnknownNameError: there is no such source, model, label, data set or view, or a model lacks the label.
        UsageError: fewer than two models, several scales, no image in common, or the baseline is not among them.
        DataError: a prediction is missing, NaN or infinite.
        WarehouseError: the warehouse could not answer.
    """
    check_label(label)
    if len(set(models)) < 2:
        raise UsageError(f"Effects of u and w need two models or more. Received: {', '.join(models) or 'none'}.")
    joined = [joined_predictions(source_name, model, dataset, view) for model in models]
    for model, one in zip(models, joined, strict=True):
        if label not in one.labels:
            raise UnknownNameError(f"label of model {model}", label, one.labels)
    scales = sorted({one.scale for one in joined})
    if len(scales) > 1:
        raise UsageError(f"Shifts need models on one scale. Received: {', '.join(scales)}. Choose others.")
    frames = shared_rows(joined, list(models), dataset)
    chosen = settings()
    return effects_of_treatments(
        frames[0][f"true_{label}"].to_numpy(),
        {model: predicted(frame, [label])[label] for model, frame in zip(models, frames, strict=True)},
        baseline,
        frames[0]["patient"].to_numpy(),
        label,
        scales[0],
        chosen.resamples,
        chosen.minimum_positives,
        _truth(source_name, frames[0]["path"], label),
    )


def _truth(source_name: str, paths: pd.Series, label: str) -> IntArray | None:
    """Return what was really there on each path, -1 where it is not known; None where nobody knows."""
    truth = get_source(source_name).warehouse().truth()
    if truth is None:
        return None
    return truth.set_index("path")[label].reindex(paths).fillna(-1).to_numpy(dtype=np.int64)
