"""Several models combined into one: looked at before it is saved, then saved as a prediction table like any other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cxr_core.errors import DataError, ExistsError, UnknownNameError, UsageError
from cxr_core.evaluation.arrays import count_not_finite
from cxr_core.evaluation.ensembles import METHODS, check_method, combine, result_scale
from cxr_core.evaluation.labels import Figures
from cxr_core.evaluation.results import LabelComparison, MeanFigure
from cxr_core.schema import KEY_COLUMNS, LABELS, VIEWS, check_name
from cxr_core.sources.registry import get_source
from cxr_core.sources.source import Source
from cxr_core.tasks.compare import differences, shared_rows
from cxr_core.tasks.evaluate import check_unique_paths, figures_of, joined_predictions
from cxr_core.warehouse.parquet import write_table

#: Methods that are fitted to data; they come with a later issue.
LATER_METHODS: tuple[str, ...] = ("weighted", "stacking")


@dataclass(frozen=True)
class BuiltEnsemble:
    """A saved ensemble: its name, its prediction table (a path), how many images it has, how it was made."""

    model: str
    table: str
    images: int
    method: str
    scale: str

    def as_json(self) -> dict[str, Any]:
        """Return what `ensemble --json` prints."""
        return {
            "model": self.model,
            "table": self.table,
            "images": self.images,
            "method": self.method,
            "scale": self.scale,
        }


@dataclass(frozen=True)
class EnsemblePreview:
    """An ensemble that is not saved, beside its members on the same `n_images` labelled images.

    `best` is the member with the largest mean AUC (over the labels that all members have) on these images, and `gain`
    the paired AUC(ensemble) - AUC(best) of each label, `mean_gain` their mean. As `best` is chosen on the same
    images, the gain over it is, if anything, understated.
    """

    scale: str
    n_images: int
    figures: Figures
    members: dict[str, Figures]
    best: str
    gain: dict[str, LabelComparison]
    mean_gain: MeanFigure


def build_ensemble(
    source_name: str, members: Sequence[str], method: str, by: str, name: str, replace: bool = False
) -> BuiltEnsemble:
    """Combine the members' predictions of the images that all of them predict, and save them as the model `name`.

    Every data set in which all members have predictions is combined, for the labels that all members have; images
    need no labels. Ranks (mean-rank) are taken within each data set. The recipe stands in the table's metadata.

    Args:
        source_name: the source of the members, where the ensemble is saved.
        members: two or more different models.
        method: a key of `evaluation.ensembles.METHODS`.
        by: "image" ("study" comes with a later issue).
        name: the new model.
        replace: whether a prediction table that the workspace already has under `name` is replaced.

    Raises:
        UnknownNameError: there is no such source or member.
        UsageError: too few or repeated members, a method that cannot combine their scales, or no image in common.
        ExistsError: `name` is in use.
        DataError: a member's predictions are missing, NaN or infinite, or a path occurs twice.
        WarehouseError: the warehouse could not answer.
    """
    source = get_source(source_name)
    _check_request(source, members, method, by)
    check_name("model", name)
    _check_free(source, members, name, replace)
    tables = [source.warehouse().prediction_table(member) for member in members]
    scales = [table.scale for table in tables]
    scale = result_scale(scales, method)
    frames = [_member_predictions(source, member) for member in members]
    labels = _common_labels([table.labels for table in tables])
    paths = _common_paths(frames, members)
    aligned = [frame.set_index("path").loc[paths].reset_index() for frame in frames]
    combined = _combined(aligned, members, scales, labels, method)
    path = source.predictions_path(name)
    recipe = {"members": list(members), "method": method, "by": by}
    write_table(path, combined, scale, {"view": _one_view(combined), "recipe": recipe})
    return BuiltEnsemble(name, str(path), len(combined), method, scale)


def preview_ensemble(
    source_name: str, members: Sequence[str], method: str, dataset: str = "valid", view: str | None = None
) -> EnsemblePreview:
    """Evaluate an ensemble without saving it, beside its members and on their common labelled images.

    Raises:
        UnknownNameError: there is no such source, member, data set or view.
        UsageError: too few or repeated members, a method that cannot combine their scales, or no image in common.
        DataError: a member's predictions are missing, NaN or infinite, or a path occurs twice.
        WarehouseError: the warehouse could not answer.
    """
    _check_request(get_source(source_name), members, method, "image")
    joined = [joined_predictions(source_name, member, dataset, view) for member in members]
    scales = [j.scale for j in joined]
    scale = result_scale(scales, method)
    labels = _common_labels([j.labels for j in joined])
    frames = shared_rows(joined, list(members), dataset)
    columns = [f"predicted_{label}" for label in labels]
    combined = frames[0].assign(**_combined_columns(frames, members, scales, columns, method))
    each = {member: figures_of(frame, labels) for member, frame in zip(members, frames, strict=True)}
    best = max(members, key=lambda member: each[member].mean_roc_auc.value or 0.0)
    gain = differences(combined, frames[list(members).index(best)], labels)
    return EnsemblePreview(scale, len(combined), figures_of(combined, labels), each, best, gain.labels, gain.mean)


def _check_request(source: Source, members: Sequence[str], method: str, by: str) -> None:
    if method in LATER_METHODS:
        raise UsageError(f"The method {method} is not available yet. Use one of: {', '.join(METHODS)}.")
    check_method(method)
    if by == "study":
        raise UsageError("Ensembles by study are not available yet. Use `--by image` with models of one view.")
    if by != "image":
        raise UsageError(f"An ensemble combines by image or by study. Received: {by!r}.")
    _check_members(source, members)


def _check_members(source: Source, members: Sequence[str]) -> None:
    known = source.warehouse().prediction_tables()
    for member in members:
        if member not in known:
            raise UnknownNameError("model", member, known)
    twice = sorted({member for member in members if members.count(member) > 1})
    if twice:
        raise UsageError(f"Each member of an ensemble must be named once. Received more than once: {', '.join(twice)}.")
    if len(members) < 2:
        raise UsageError(f"An ensemble needs two members or more. Received: {', '.join(members) or 'none'}.")


def _check_free(source: Source, members: Sequence[str], name: str, replace: bool) -> None:
    """Raise unless `name` may be written: it must be nobody else's, and nobody's at all without `replace`."""
    if name in members:
        raise ExistsError(f"An ensemble cannot take the place of its member {name!r}. Choose another name.")
    own = source.predictions_path(name)
    if name in source.warehouse().prediction_tables():
        location = source.warehouse().prediction_table(name).location
        if location != str(own):
            raise ExistsError(f"The model {name!r} already has predictions in {location}. Choose another name.")
    if name in source.weights():
        raise ExistsError(f"{name!r} is a trained model ({source.weights()[name]}). Choose another name.")
    if own.exists() and not replace:
        raise ExistsError(f"The model {name!r} already has predictions. Choose another name, or use --replace.")


def _member_predictions(source: Source, member: str) -> pd.DataFrame:
    frame = source.warehouse().predictions(member)
    check_unique_paths(frame, f"The predictions of {member}")
    return frame


def _common_labels(each: Sequence[Sequence[str]]) -> list[str]:
    common = [label for label in LABELS if all(label in labels for labels in each)]
    if not common:
        raise UsageError("The members of an ensemble must have a label in common. These have none. Choose others.")
    return common


def _common_paths(frames: Sequence[pd.DataFrame], members: Sequence[str]) -> pd.Index:
    common = pd.Index(frames[0]["path"])
    for frame in frames[1:]:
        common = common.intersection(frame["path"])
    if common.empty:
        raise UsageError(
            f"The members of an ensemble must predict the same images. {', '.join(members)} share none. "
            "Choose models of one view; combining views study by study comes later."
        )
    return common.sort_values()


def _combined(
    frames: list[pd.DataFrame], members: Sequence[str], scales: list[str], labels: list[str], method: str
) -> pd.DataFrame:
    """Return the keys and the combined labels of aligned frames, each data set combined by itself."""
    parts = []
    for rows in frames[0].groupby("dataset").indices.values():
        of_set = [frame.iloc[rows] for frame in frames]
        parts.append(of_set[0][list(KEY_COLUMNS)].assign(**_combined_columns(of_set, members, scales, labels, method)))
    combined = pd.concat(parts, ignore_index=True)
    # A study row of no single view says -1 in a frame and nothing in a table.
    return combined.assign(view=combined["view"].astype("Int64").where(combined["view"] >= 0))


def _combined_columns(
    frames: list[pd.DataFrame], members: Sequence[str], scales: list[str], columns: list[str], method: str
) -> dict[str, Any]:
    for member, frame in zip(members, frames, strict=True):
        wrong = count_not_finite(frame[columns].to_numpy(dtype="float64"))
        if wrong:
            raise DataError(
                f"Members of an ensemble must have a finite prediction for every image. Received from {member}: "
                f"{wrong} missing, NaN or infinite. Predict with it again, or leave it out."
            )
    return {
        column: combine([frame[column].to_numpy(dtype="float64") for frame in frames], scales, method)
        for column in columns
    }


def _one_view(frame: pd.DataFrame) -> str | None:
    views = frame["view"].dropna().unique()
    return VIEWS[int(views[0])] if len(views) == 1 and 0 <= views[0] < len(VIEWS) else None
