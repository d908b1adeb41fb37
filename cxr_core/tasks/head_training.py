"""Training heads on features that are kept: a head a policy and label, scored on the judged images."""

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from cxr_core.arrays import BoolArray, IntArray
from cxr_core.evaluation.fitted import deal_patients
from cxr_core.progress import Progress, each_told, telling
from cxr_core.runs.step import StepContext
from cxr_core.schema import LABELS, Value, dataset_code
from cxr_core.sources.source import Source
from cxr_core.tasks.feature_store import KeptFeatures
from cxr_core.training.head_grid import head_grid
from cxr_core.training.heads import Standardised, fit_path

#: Heads are trained on the one, and judged on the other; test images take no part.
TRAINED_ON, JUDGED_ON = "train", "valid"
#: One part of the training patients in so many decides when training stops.
_PARTS = 5
#: Fewest certain training images of either class for a head.
FEWEST_IMAGES = 10
#: Another grid or another way to train makes other scores.
_VERSION = "3"


def training_rows(source: Source, view: str | None, kept: KeptFeatures) -> pd.DataFrame:
    """Return the label rows of train that have features: `patient`, `row` of the features, and the 14 labels."""
    labels = source.warehouse().labels(TRAINED_ON, view)
    images = kept.images.assign(row=np.arange(len(kept.images)))
    images = images[images["dataset"] == dataset_code(TRAINED_ON)].drop_duplicates("path")
    joined = labels.drop_duplicates("path").merge(images[["path", "row"]], on="path")
    return joined[["path", "patient", "row", *LABELS]].sort_values("row", ignore_index=True)


def judged_images(kept: KeptFeatures) -> pd.DataFrame:
    """Return the key columns of the images of valid, in the order of the scores."""
    return kept.images[kept.images["dataset"] == dataset_code(JUDGED_ON)].reset_index(drop=True)


def scores_name(rows: pd.DataFrame) -> str:
    """Return a name that is another one when a training label, or its image, is."""
    content = pd.util.hash_pandas_object(rows, index=False).to_numpy().tobytes()
    return f"scores-{hashlib.sha256(content + _VERSION.encode()).hexdigest()[:8]}"


def train_heads(context: StepContext, kept: KeptFeatures, rows: pd.DataFrame) -> tuple[Any, dict[str, Any]]:
    """Train the heads of all labels and return their scores on the judged images, and what is told of them."""
    grid = head_grid()
    held_out = deal_patients(rows["patient"].to_numpy(np.int64), _PARTS) == 0
    features = Standardised.of(kept.features[rows["row"].to_numpy()], ~held_out)
    judged = features.others(kept.features[kept.images["dataset"].to_numpy() == dataset_code(JUDGED_ON)])
    scores = np.zeros((len(LABELS), grid.tables.targets.shape[1], len(judged)), np.float32)

    def train(number: int) -> dict[str, Any]:
        codes = rows[LABELS[number]].to_numpy(np.int64)
        if why := _why_no_head(codes, held_out):
            return {"penalty": None, "why": why}
        heads = fit_path(features.rows, codes, grid.tables, held_out, going_on=context.stop_if_cancelled)
        scores[number] = (judged @ heads.slopes).T
        return {"penalty": heads.penalty, "why": None}

    # Labels go side by side; the threads of the libraries below would only get into each other's way.
    with threadpool_limits(1), telling(_told_to(context)):
        found = each_told("Labels", train, range(len(LABELS)))
    told = {"n_train": len(rows), "n_held_out": int(held_out.sum()), "n_judged": len(judged), "size": kept.size}
    return scores, told | {"labels": dict(zip(LABELS, found, strict=True))}


def _why_no_head(codes: IntArray, held_out: BoolArray) -> str | None:
    fitted = codes[~held_out]
    positive, negative = (int(np.isin(fitted, kind).sum()) for kind in ([Value.positive], [0, Value.negative]))
    if min(positive, negative) < FEWEST_IMAGES:
        return (
            f"{positive:,} positive and {negative:,} negative images in {TRAINED_ON} are too few for a head, which "
            f"needs {FEWEST_IMAGES} of each"
        )
    return None


def _told_to(context: StepContext) -> Callable[[Progress], None]:
    def tell(progress: Progress) -> None:
        context.stop_if_cancelled()
        context.progress(progress.done, progress.total, message="training the heads")

    return tell
