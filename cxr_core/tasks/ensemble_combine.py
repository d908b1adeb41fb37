"""How an ensemble's members become one prediction for each row, and the recipe that says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from cxr_core.arrays import FloatArray
from cxr_core.errors import DataError, UsageError
from cxr_core.evaluation.binary import binary_truth
from cxr_core.evaluation.defined import LARGEST_MISSING_SHARE
from cxr_core.evaluation.ensembles import FITTED, combine, converted, result_scale
from cxr_core.evaluation.fitted import FOLDS, cross_fitted
from cxr_core.schema import DATASETS
from cxr_core.sources.source import Source
from cxr_core.tasks.ensemble_rows import EnsembleRows, on_finite, truth_of
from cxr_core.words import counted, percent

#: On which data set weights are fitted: the first of these that the members predict. Test is kept for the end.
FIT_ON: tuple[str, ...] = ("valid", "train", "test")


@dataclass(frozen=True, eq=False)
class Combined:
    """The combined predictions of each label, (n,), NaN on the rows that a member lacks, and the recipe.

    `missing` says for each label that has such rows how many they are, and the path of the first.
    """

    predictions: dict[str, FloatArray]
    recipe: dict[str, Any]
    missing: dict[str, dict[str, Any]]

    @property
    def not_fitted(self) -> dict[str, str]:
        """Why the weights of some labels were not fitted; their members weigh the same."""
        return dict(self.recipe.get("not_fitted", {}))


def combined(source: Source, rows: EnsembleRows, method: str, by: str) -> Combined:
    """Combine the members' predictions of each label.

    Raises:
        UsageError: weights are to be fitted, and for no label there are enough patients.
        DataError: together the members lack too many predictions of a label.
        WarehouseError: the warehouse could not answer.
    """
    recipe: dict[str, Any] = {"members": [member.model for member in rows.members], "method": method, "by": by}
    if method not in FITTED:
        return _checked(rows, {label: _simple(rows, label, method, by) for label in rows.labels}, recipe)
    fitted_on = _fitted_on(source, rows)
    truth, patients = truth_of(source, rows, fitted_on, by), rows.keys["patient"].to_numpy(dtype=np.int64)
    recipe |= {
        "fitted_on": fitted_on,
        "folds": FOLDS,
        "judged": "each patient is predicted by weights that were fitted on other patients",
        "weights": {},
        "not_fitted": {},
    }
    predictions = {}
    for label in rows.labels:
        names, features = _features(rows, label, method, by)
        usable, y = binary_truth(truth[label])
        whole = np.isfinite(features).all(axis=1)
        found = cross_fitted(features[whole], y[whole], usable[whole], patients[whole], method)
        predictions[label] = np.full(whole.size, np.nan)
        predictions[label][whole] = found.predictions
        weights = {name: float(weight) for name, weight in zip(names, found.weights, strict=True)}
        recipe["weights"][label] = weights | ({"intercept": found.intercept} if method == "stacking" else {})
        if found.why:
            recipe["not_fitted"][label] = found.why
    _check_fitted(recipe["not_fitted"], rows, method)
    return _checked(rows, predictions, recipe)


def _check_fitted(not_fitted: Mapping[str, str], rows: EnsembleRows, method: str) -> None:
    """Raise where no label's weights were fitted: an ensemble must not be called what it is not."""
    if len(not_fitted) == len(rows.labels):
        raise UsageError(
            f"The method {method} needs labels of enough patients to fit its weights. "
            f"Of {counted(len(rows.keys), 'row')} no label has them: {next(iter(not_fitted.values()))}. "
            "Use mean-logit, or members that predict more."
        )


def _checked(rows: EnsembleRows, predictions: dict[str, FloatArray], recipe: dict[str, Any]) -> Combined:
    """Count the rows that some member lacks; more than a twentieth of a label's are refused."""
    missing = {}
    for label, of_label in predictions.items():
        lost = np.isnan(of_label)
        n = int(lost.sum())
        if n > LARGEST_MISSING_SHARE * lost.size:
            raise DataError(
                f"The members of an ensemble may together lack {percent(LARGEST_MISSING_SHARE, 0)} of a label's "
                f"predictions at most. Received: {n:,} of {lost.size:,} of {label}. Leave a member out."
            )
        if n:
            missing[label] = {"n": n, "example": str(rows.keys["path"].iloc[int(np.argmax(lost))])}
    return Combined(predictions, recipe, missing)


def _simple(rows: EnsembleRows, label: str, method: str, by: str) -> FloatArray:
    """Combine one label by a method that fits nothing; ranks are taken within each data set."""
    members = [(member.largest if method == "max" else member.mean)[label] for member in rows.members]
    scales = [member.scale for member in rows.members]
    if by == "study" and method != "mean-rank":
        # The images were converted before they were put together.
        scales = [result_scale(scales, method)] * len(scales)
    predictions = np.full(len(rows.keys), np.nan)
    datasets, whole = rows.keys["dataset"].to_numpy(), np.isfinite(members).all(axis=0)
    for code in np.unique(datasets):
        of_set = (datasets == code) & whole
        predictions[of_set] = combine([values[of_set] for values in members], scales, method)
    return predictions


def _features(rows: EnsembleRows, label: str, method: str, by: str) -> tuple[list[str], FloatArray]:
    """Return the names and the columns (n, m) that weights are fitted to.

    Stacking by study has the mean and the largest logit of a member's images, where a study has several of them.
    """
    names, columns = [], []
    for member in rows.members:
        names.append(member.model)
        columns.append(
            member.mean[label] if by == "study" else on_finite(partial(_logits, member.scale), member.mean[label])
        )
        if method == "stacking" and member.several:
            names.append(f"{member.model} (largest)")
            columns.append(member.largest[label])
    return names, np.column_stack(columns)


def _logits(scale: str, scores: FloatArray) -> FloatArray:
    return converted(scores, scale, "mean-logit")


def _fitted_on(source: Source, rows: EnsembleRows) -> str:
    present = {DATASETS[code] for code in rows.keys["dataset"].unique()}
    for dataset in FIT_ON:
        if dataset in present and len(source.warehouse().labels(dataset)):
            return dataset
    raise UsageError(
        "Weights are fitted to labels, but no image that all members predict has any. Use mean-logit, or name the "
        "label tables of the source."
    )
