"""Several models combined into one: looked at before it is saved, then saved as a prediction table like any other."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cxr_core.arrays import FloatArray
from cxr_core.caller import RESEARCHER, require
from cxr_core.errors import ExistsError, UnknownNameError, UsageError
from cxr_core.evaluation.comparison import compare_labels
from cxr_core.evaluation.ensembles import METHODS, check_method, result_scale
from cxr_core.evaluation.labels import FIGURES, Figures, evaluate_models
from cxr_core.evaluation.results import LabelComparison, MeanFigure
from cxr_core.journal import note_deed
from cxr_core.schema import VIEWS, check_name, dataset_code, view_code
from cxr_core.settings import settings
from cxr_core.sources.registry import get_source
from cxr_core.sources.source import Source
from cxr_core.tasks.ensemble_combine import combined
from cxr_core.tasks.ensemble_rows import BY, EnsembleMember, common_rows, truth_of
from cxr_core.warehouse.parquet import write_table

#: The methods by name, for those who may not look into the evaluation.
METHOD_NAMES: tuple[str, ...] = tuple(METHODS)


@dataclass(frozen=True)
class BuiltEnsemble:
    """A saved ensemble: its name, its prediction table (a path), its number of images or studies, how it was made.

    `missing` says for each label how many rows have no prediction, since a member lacks it, and the path of the first;
    `not_fitted` for which labels weights were to be fitted and could not, and why.
    """

    model: str
    table: str
    images: int
    method: str
    scale: str
    missing: dict[str, dict[str, Any]] = field(default_factory=dict)
    not_fitted: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return what `ensemble --json` prints."""
        return {
            "model": self.model,
            "table": self.table,
            "images": self.images,
            "method": self.method,
            "scale": self.scale,
            "missing": dict(self.missing),
            "not_fitted": dict(self.not_fitted),
        }


@dataclass(frozen=True)
class EnsemblePreview:
    """An ensemble that is not saved, beside its members on the same `n_images` labelled images, or studies.

    `best` is the member with the largest mean AUC (over the labels that all members have) on these rows, and `gain`
    the paired AUC(ensemble) - AUC(best) of each label, `mean_gain` their mean. As `best` is chosen on the same rows,
    the gain over it is, if anything, understated. By study, a member stands for the mean of its images of the study
    (the largest with the method max). `recipe` says how the ensemble is made; that of a fitted one says on which data
    set its weights were fitted, and every row here is predicted by weights that have not seen its patient.
    `left_out` counts the images (studies) that not all members predict; `missing` says, label by label, how many more
    have no prediction of it.
    """

    scale: str
    n_images: int
    figures: Figures
    members: dict[str, Figures]
    best: str
    gain: dict[str, LabelComparison]
    mean_gain: MeanFigure
    recipe: dict[str, Any] = field(default_factory=dict)
    left_out: int = 0
    missing: dict[str, dict[str, Any]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the preview under the names that scripts rely on."""
        each = {"ensemble": self.figures} | self.members
        means = {name: {one: figures.mean(one).as_json() for one in FIGURES} for name, figures in each.items()}
        return {
            "scale": self.scale,
            "images": self.n_images,
            "left_out": self.left_out,
            "recipe": self.recipe,
            "mean": means,
            "best": self.best,
            "gain": {label: one.as_json() for label, one in self.gain.items()},
            "mean_gain": self.mean_gain.as_json(),
        }

    @property
    def fitted(self) -> bool:
        """Whether weights were fitted, so that the page has to say on which patients they are judged."""
        return "fitted_on" in self.recipe


def build_ensemble(
    source_name: str, members: Sequence[str], method: str, by: str, name: str, replace: bool = False
) -> BuiltEnsemble:
    """Combine the members' predictions of what all of them predict, and save them as the model `name`.

    Every data set in which all members have predictions is combined, for the labels that all members have; rows need
    no labels. Ranks (mean-rank) are taken within each data set. By study the images of each member are put together
    first, so that members of different views meet. Rows that a member lacks for a label have none there, up to 5 %.
    Fitted weights (weighted, stacking) are fitted on the first of `ensemble_combine.FIT_ON`, and each patient is
    predicted by weights that have not seen him. The recipe stands in the table's metadata, weights included.

    Args:
        source_name: the source of the members, where the ensemble is saved.
        members: two or more different models; by study one is enough.
        method: a key of `evaluation.ensembles.METHODS`.
        by: "image" or "study".
        name: the new model.
        replace: whether a prediction table that the workspace already has under `name` is replaced.

    Raises:
        UnknownNameError: there is no such source or member.
        UsageError: too few or repeated members, a method that cannot combine their scales, nothing in common, or too
            few labels to fit weights to.
        ExistsError: `name` is in use.
        DataError: a member lacks too many predictions, or they are not on the scale that its table states.
        TableError: a member predicts a path twice.
        WarehouseError: the warehouse could not answer.
    """
    require(RESEARCHER, "build an ensemble")
    source = get_source(source_name)
    _check_request(source, members, method, by)
    check_name("model", name)
    _check_free(source, members, name, replace)
    scale = result_scale([source.warehouse().prediction_info(member)[1].scale for member in members], method)
    rows = common_rows(source, members, by, method)
    found = combined(source, rows, method, by)
    # A study row of no single view says -1 in a frame and nothing in a table.
    view = rows.keys["view"].astype("Int64").where(rows.keys["view"] >= 0)
    path = source.predictions_path(name)
    table = rows.keys.assign(view=view, **found.predictions)
    write_table(path, table, scale, {"view": _one_view(source, members), "recipe": found.recipe})
    note_deed("ensemble built", source=source_name, model=name, members=list(members))
    return BuiltEnsemble(name, str(path), len(rows.keys), method, scale, found.missing, found.not_fitted)


def preview_ensemble(
    source_name: str,
    members: Sequence[str],
    method: str,
    dataset: str = "valid",
    view: str | None = None,
    by: str = "image",
) -> EnsemblePreview:
    """Evaluate an ensemble without saving it, beside its members and on their common labelled images or studies.

    Raises:
        UnknownNameError: there is no such source, member, data set or view.
        UsageError: too few or repeated members, a method that cannot combine their scales, nothing in common, or too
            few labels to fit weights to.
        DataError: a member lacks too many predictions, or they are not on the scale that its table states.
        TableError: a member predicts a path twice, or an image has two label rows.
        WarehouseError: the warehouse could not answer.
    """
    source = get_source(source_name)
    _check_request(source, members, method, by)
    code = dataset_code(dataset)
    scale = result_scale([source.warehouse().prediction_info(member)[1].scale for member in members], method)
    rows = common_rows(source, members, by, method)
    found = combined(source, rows, method, by)
    values = truth_of(source, rows, dataset, by)
    of_set = (rows.keys["dataset"] == code).to_numpy()
    if view is not None:
        of_set &= (rows.keys["view"] == view_code(view)).to_numpy()
    judged = of_set & np.any([codes >= 0 for codes in values.values()], axis=0)
    if not judged.any():
        raise UsageError(
            f"An ensemble can be judged on labelled rows. Of the {'images' if by == 'image' else 'studies'} that all "
            f"members predict, none of {dataset} has labels. Choose another data set, or save it unseen."
        )
    # A member whose name is that of the ensemble's column could not be: names do not start with a space.
    ensemble = " ensemble"
    scores = {ensemble: found.predictions} | {member.model: _alone(member, method) for member in rows.members}
    on_rows = {model: {label: s[judged] for label, s in of_model.items()} for model, of_model in scores.items()}
    true, patients = {label: codes[judged] for label, codes in values.items()}, rows.keys["patient"].to_numpy()[judged]
    chosen = settings()
    figures = evaluate_models(true, on_rows, patients, chosen.resamples, chosen.minimum_positives, chosen.intervals)
    best = max(members, key=lambda member: figures[member].mean_roc_auc.value or 0.0)
    gain = compare_labels(true, on_rows[ensemble], on_rows[best], patients, chosen.minimum_positives)
    return EnsemblePreview(
        scale=scale,
        n_images=int(judged.sum()),
        figures=figures.pop(ensemble),
        members=figures,
        best=best,
        gain=gain.labels,
        mean_gain=gain.mean,
        recipe=found.recipe,
        missing=found.missing,
        left_out=rows.left_out,
    )


def _alone(member: EnsembleMember, method: str) -> dict[str, FloatArray]:
    return member.largest if method == "max" else member.mean


def _check_request(source: Source, members: Sequence[str], method: str, by: str) -> None:
    check_method(method)
    if by not in BY:
        raise UsageError(f"An ensemble combines by image or by study. Received: {by!r}.")
    known = source.warehouse().prediction_tables()
    for member in members:
        if member not in known:
            raise UnknownNameError("model", member, known)
    twice = sorted({member for member in members if members.count(member) > 1})
    if twice:
        raise UsageError(f"Each member of an ensemble must be named once. Received more than once: {', '.join(twice)}.")
    if len(members) < 2 and not (members and by == "study"):
        raise UsageError(f"An ensemble needs two members or more. Received: {', '.join(members) or 'none'}.")


def _check_free(source: Source, members: Sequence[str], name: str, replace: bool) -> None:
    """Raise unless `name` may be written: it must be nobody else's, and nobody's at all without `replace`."""
    if name in members:
        raise ExistsError(f"An ensemble cannot take the place of its member {name!r}. Choose another name.")
    own = source.predictions_path(name)
    if name in source.warehouse().prediction_tables():
        location = source.warehouse().prediction_info(name)[0]
        if location != str(own):
            raise ExistsError(f"The model {name!r} already has predictions in {location}. Choose another name.")
    if name in source.weights():
        raise ExistsError(f"{name!r} is a trained model ({source.weights()[name]}). Choose another name.")
    if own.exists() and not replace:
        raise ExistsError(f"The model {name!r} already has predictions. Choose another name, or use --replace.")


def _one_view(source: Source, members: Sequence[str]) -> str | None:
    """Return the view of all images that the members predict, common or not; None where they are of several."""
    each = [source.warehouse().predictions(member)["view"].fillna(-1) for member in members]
    found = {int(view) for views in each for view in views.unique()}
    return VIEWS[view] if len(found) == 1 and 0 <= (view := found.pop()) < len(VIEWS) else None
