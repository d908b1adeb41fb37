"""The rows that an ensemble combines: the members' predictions of the same images, or of the same studies."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from cxr_core.arrays import FloatArray, IntArray
from cxr_core.errors import DataError, UsageError
from cxr_core.evaluation.defined import LARGEST_MISSING_SHARE
from cxr_core.evaluation.ensembles import converted
from cxr_core.schema import DATASETS, KEY_COLUMNS, LABELS, dataset_code, study_path
from cxr_core.sources.source import Source
from cxr_core.tasks.evaluate import check_unique_paths, scale_doubt
from cxr_core.warehouse.studies import STUDY_KEYS, study_labels
from cxr_core.words import percent

BY: tuple[str, ...] = ("image", "study")

_STUDY = ["dataset", *STUDY_KEYS]


@dataclass(frozen=True, eq=False)
class EnsembleMember:
    """One member on the common rows: `mean` and `largest` of its predictions, per label (n,); NaN where it has none.

    By image both are the predictions as stored. By study they are taken over the member's images of the study that have
    one, after the conversion that the method asks for; `several` says whether any study has more than one.
    """

    model: str
    scale: str
    mean: dict[str, FloatArray]
    largest: dict[str, FloatArray]
    several: bool


@dataclass(frozen=True, eq=False)
class EnsembleRows:
    """The key columns of n common rows sorted by path, and each member on them; `left_out` rows not all predict."""

    keys: pd.DataFrame
    members: list[EnsembleMember]
    labels: list[str]
    left_out: int


def common_rows(source: Source, models: Sequence[str], by: str, method: str) -> EnsembleRows:
    """Read the members' predictions and return the images, or the studies, that all of them predict.

    Raises:
        UsageError: the members have no label, or no image or study, in common.
        DataError: of a member's label more than 5 % are missing, or it is called a logit and looks like a probability.
        TableError: a member predicts a path twice.
        WarehouseError: the warehouse could not answer.
    """
    warehouse = source.warehouse()
    frames, scales = [], []
    for model in models:
        frame = warehouse.predictions(model)
        check_unique_paths(frame, f"The predictions of {model}")
        frames.append(frame)
        scales.append(warehouse.prediction_info(model)[1].scale)
    labels = [label for label in LABELS if all(label in frame.columns for frame in frames)]
    if not labels:
        raise UsageError("The members of an ensemble must have a label in common. These have none. Choose others.")
    index = ["path"] if by == "image" else _STUDY
    keyed = [frame.set_index(index) for frame in frames]
    common = keyed[0].index.unique()
    for frame in keyed[1:]:
        common = common.intersection(frame.index.unique())
    if common.empty:
        raise UsageError(_nothing_in_common(models, by))
    common = common.sort_values()
    kept = [frame[frame.index.isin(common)] for frame in keyed]
    for model, frame in zip(models, kept, strict=True):
        _check_few_missing(model, frame.reset_index(), labels)
    if method != "mean-rank":
        _check_scales(models, scales, [frame[labels] for frame in kept])
    left_out = max(frame.index.nunique() for frame in keyed) - len(common)
    if by == "image":
        rows = [frame.loc[common] for frame in kept]
        keys = rows[0].reset_index()[list(KEY_COLUMNS)]
        members = [_of_images(m, s, f, labels) for m, s, f in zip(models, scales, rows, strict=True)]
        return EnsembleRows(keys, members, labels, left_out)
    members = [_of_studies(m, s, f, labels, method) for m, s, f in zip(models, scales, kept, strict=True)]
    return _by_path(EnsembleRows(_study_keys(common), members, labels, left_out))


def truth_of(source: Source, rows: EnsembleRows, dataset: str, by: str) -> dict[str, IntArray]:
    """Return the label codes (n,) of the rows of one data set by label, -1 for other rows and where nothing is said.

    Raises:
        TableError: an image has two label rows.
        WarehouseError: the warehouse could not answer.
    """
    labels = source.warehouse().labels(dataset)
    of_set = (rows.keys["dataset"] == dataset_code(dataset)).to_numpy()
    # Rows that stand for studies already, as those of a study ensemble do, are looked up as studies too.
    if by == "study" or (of_set.any() and (rows.keys.loc[of_set, "image"] == 0).all()):
        true, names = study_labels(labels, rows.labels), list(STUDY_KEYS)
    else:
        check_unique_paths(labels, f"The labels of {dataset}")
        true, names = labels, ["path"]
    found = rows.keys[names].merge(true[[*names, *rows.labels]], on=names, how="left")
    return {label: np.where(of_set, found[label].fillna(-1).to_numpy(dtype=np.int64), -1) for label in rows.labels}


def _of_images(model: str, scale: str, frame: pd.DataFrame, labels: list[str]) -> EnsembleMember:
    stored = {label: on_finite(np.copy, frame[label].to_numpy(dtype=np.float64)) for label in labels}
    return EnsembleMember(model, scale, stored, stored, several=False)


def _of_studies(model: str, scale: str, frame: pd.DataFrame, labels: list[str], method: str) -> EnsembleMember:
    # Ranks are taken among studies, later: here a study's images are averaged as they are stored.
    how = "max" if method in ("mean-rank", "max") else method
    convert = partial(converted, scale=scale, method=how)
    values = frame[labels].apply(lambda column: on_finite(convert, column.to_numpy(dtype=np.float64)))
    grouped = values.groupby(level=_STUDY, sort=True)
    mean, largest = grouped.mean(), grouped.max()
    return EnsembleMember(
        model,
        scale,
        {label: mean[label].to_numpy() for label in labels},
        {label: largest[label].to_numpy() for label in labels},
        several=bool((grouped.size() > 1).any()),
    )


def on_finite(task: Callable[[FloatArray], FloatArray], scores: FloatArray) -> FloatArray:
    """Apply `task` to the finite scores of (n,) alone; the others become NaN."""
    finite = np.isfinite(scores)
    done = np.full(scores.shape, np.nan)
    done[finite] = task(scores[finite])
    return done


def _study_keys(studies: pd.Index) -> pd.DataFrame:
    keys = studies.to_frame(index=False)
    paths = [study_path(DATASETS[d], int(p), int(s)) for d, p, s in keys.itertuples(index=False)]
    return keys.assign(path=paths, image=0, view=-1)[list(KEY_COLUMNS)]


def _by_path(rows: EnsembleRows) -> EnsembleRows:
    order = np.argsort(rows.keys["path"].to_numpy(dtype=str), kind="stable")
    members = [
        EnsembleMember(
            m.model,
            m.scale,
            {label: of_label[order] for label, of_label in m.mean.items()},
            {label: of_label[order] for label, of_label in m.largest.items()},
            m.several,
        )
        for m in rows.members
    ]
    return EnsembleRows(rows.keys.iloc[order].reset_index(drop=True), members, rows.labels, rows.left_out)


def _check_few_missing(model: str, frame: pd.DataFrame, labels: list[str]) -> None:
    """Raise when more than a twentieth of a label's predictions are missing, NaN or infinite."""
    for label in labels:
        missing = ~np.isfinite(frame[label].to_numpy(dtype=np.float64))
        if missing.sum() > LARGEST_MISSING_SHARE * missing.size:
            raise DataError(
                f"Members of an ensemble must have a finite prediction for nearly every image; at most "
                f"{percent(LARGEST_MISSING_SHARE, 0)} of a label may be missing. Received from {model}: "
                f"{missing.sum():,} of {missing.size:,} of {label} missing, NaN or infinite, as for "
                f"{frame['path'][missing].iloc[0]}. Predict with it again, or leave it out."
            )


def _check_scales(models: Sequence[str], scales: Sequence[str], each: Sequence[pd.DataFrame]) -> None:
    """Raise when some of the members that are called logits look like probabilities and others do not."""
    logits = [(m, frame) for m, scale, frame in zip(models, scales, each, strict=True) if scale == "logit"]
    doubted = [
        m for m, frame in logits if scale_doubt({str(c): frame[c].to_numpy(dtype="float64") for c in frame}, "logit")
    ]
    if doubted and len(doubted) < len(logits):
        raise DataError(
            f"Members of an ensemble must be on the scale that their tables state. {', '.join(doubted)} should be "
            "logits, but all predictions lie between 0 and 1: import them again with `--scale probability`."
        )


def _nothing_in_common(models: Sequence[str], by: str) -> str:
    what = "images" if by == "image" else "studies"
    advice = "Choose models of one view, or combine views with `--by study`." if by == "image" else "Choose others."
    return f"The members of an ensemble must predict the same {what}. {', '.join(models)} share none. {advice}"
