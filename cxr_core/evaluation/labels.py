"""All labels of one model or of several at once: figures, intervals on shared resamples, means over labels."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from cxr_core.arrays import FloatArray, IntArray
from cxr_core.errors import UnknownNameError
from cxr_core.evaluation.binary import CertainRows, shared_certain_rows
from cxr_core.evaluation.curves import Curves, curves
from cxr_core.evaluation.defined import ALL_EQUAL, ClassPatients, class_patients, why_no_ranking
from cxr_core.evaluation.influence import ap_influence, auc_influence, degrees_of_freedom
from cxr_core.evaluation.intervals import Interval, area_interval, percentile_interval
from cxr_core.evaluation.resamples import patient_clusters
from cxr_core.evaluation.results import LabelEvaluation, MeanFigure
from cxr_core.evaluation.weighted import RankedRows, bootstrap, rank_rows

#: The figures that are resampled, in the order of the last axis of `bootstrap`, and what they are called.
FIGURES: dict[str, str] = {"roc_auc": "AUC", "average_precision": "AP"}


@dataclass(frozen=True)
class Figures:
    """The evaluation of each label, and the mean AUC and AP over the labels on which they are defined.

    `replicates` (resamples, labels, 2) are the figures of each resample, from which further means are taken.
    """

    labels: dict[str, LabelEvaluation]
    mean_roc_auc: MeanFigure
    mean_average_precision: MeanFigure
    replicates: FloatArray = field(repr=False, compare=False)
    fewest_patients: dict[str, int] = field(repr=False, compare=False)

    def mean(self, figure: str = "roc_auc", labels: Sequence[str] | None = None) -> MeanFigure:
        """Return the mean of a figure of `FIGURES` over chosen labels, or over all, with its interval.

        Raises:
            UnknownNameError: there is no such figure, or the model lacks a label.
        """
        if figure not in FIGURES:
            raise UnknownNameError("figure", figure, list(FIGURES))
        names = list(self.labels)
        chosen = names if labels is None else list(labels)
        for label in chosen:
            if label not in self.labels:
                raise UnknownNameError("label of this model", label, names)
        return mean_figure(
            [getattr(self.labels[label], figure) for label in chosen],
            self.replicates[:, [names.index(label) for label in chosen], list(FIGURES).index(figure)],
            [self.fewest_patients[label] for label in chosen],
        )


def evaluate_labels(
    values: Mapping[str, Any], scores: Mapping[str, Any], patients: Any, resamples: int, minimum: int
) -> Figures:
    """Evaluate predictions on every label that a model has.

    Args:
        values: label -> label codes (n,), 0 to 3, -1 or NaN where missing; may hold labels that the model lacks.
        scores: label -> predictions (n,) as stored, on any scale.
        patients: (n,) the patient of each row, of any type that sorts.
        resamples: number of bootstrap resamples.
        minimum: fewest patients with a positive, and with a negative row, for which an interval is given.

    Raises:
        TableError: a label value is neither missing nor one of the codes 0 to 3.
    """
    return evaluate_models(values, {"": scores}, patients, resamples, minimum)[""]


def evaluate_models(
    values: Mapping[str, Any], models: Mapping[str, Mapping[str, Any]], patients: Any, resamples: int, minimum: int
) -> dict[str, Figures]:
    """Evaluate several models that predict the same n rows, on the same resamples of their patients.

    Args:
        values: label -> label codes (n,), as in `evaluate_labels`.
        models: model -> label -> predictions (n,) as stored; the models may have different labels.
        patients: (n,) the patient of each row.
        resamples: number of bootstrap resamples.
        minimum: fewest patients with a positive, and with a negative row, for which an interval is given.

    Raises:
        TableError: a label value is neither missing nor one of the codes 0 to 3.
    """
    clusters, n_patients = patient_clusters(patients)
    rows = _rows_of_models(values, models)
    replicates = bootstrap([ranked(r, clusters, n_patients) for r in rows.values()], n_patients, resamples)
    columns = {key: column for column, key in enumerate(rows)}
    found = {}
    for model, scores in models.items():
        of_model = {label: rows[model, label] for label in scores}
        own = replicates[:, [columns[model, label] for label in scores]]
        found[model] = _figures(of_model, clusters, own, minimum)
    return found


def _rows_of_models(
    values: Mapping[str, Any], models: Mapping[str, Mapping[str, Any]]
) -> dict[tuple[str, str], CertainRows]:
    """Return the certain rows of each model and label; those of a label are the same for all models that have it."""
    found = {}
    for label in dict.fromkeys(label for of_model in models.values() for label in of_model):
        having = [model for model, of_model in models.items() if label in of_model]
        rows = shared_certain_rows(values[label], [models[model][label] for model in having])
        found.update({(model, label): of_model for model, of_model in zip(having, rows, strict=True)})
    return found


def ranked(rows: CertainRows, clusters: IntArray, patients: int) -> RankedRows:
    """Sort certain rows by score for the resampling; `clusters` are the patients of all rows, uncertain ones too."""
    return rank_rows(rows.y, rows.scores, clusters[rows.mask], patients)


def mean_figure(figures: Sequence[float | None], replicates: FloatArray, fewest: Sequence[int]) -> MeanFigure:
    """Return the mean of the defined `figures`, one a label, with its interval.

    Args:
        figures: the figure of each label, None where it is undefined.
        replicates: (resamples, labels) the same figures of each resample.
        fewest: patients of the rarer class of each label.
    """

    def interval(mean: float, resampled: FloatArray, fewest_patients: int) -> Interval:
        return area_interval(mean, resampled, fewest_patients, fewest_patients - 1)

    return _mean(figures, replicates, fewest, interval)


def mean_difference(figures: Sequence[float | None], replicates: FloatArray, fewest: Sequence[int]) -> MeanFigure:
    """Return the mean of the defined differences of a figure, arguments as of `mean_figure`."""
    return _mean(figures, replicates, fewest, lambda _, resampled, few: percentile_interval(resampled, few))


def _mean(
    figures: Sequence[float | None],
    replicates: FloatArray,
    fewest: Sequence[int],
    interval: Callable[[float, FloatArray, int], Interval],
) -> MeanFigure:
    defined = [column for column, figure in enumerate(figures) if figure is not None]
    if not defined:
        return MeanFigure(None, None, 0, "it is defined on no label")
    value = float(np.mean([figures[column] for column in defined]))
    few = min(fewest[column] for column in defined)
    if few < 2:
        return MeanFigure(value, None, len(defined), "a class of one of these labels is of a single patient")
    found = interval(value, replicates[:, defined].mean(axis=1), few)
    return MeanFigure(value, found.ci, len(defined), found.why)


def _figures(rows: Mapping[str, CertainRows], clusters: IntArray, replicates: FloatArray, minimum: int) -> Figures:
    counted = {label: class_patients(r.y, clusters[r.mask]) for label, r in rows.items()}
    labels = {
        label: _label_evaluation(label, r, clusters[r.mask], counted[label], replicates[:, column], minimum)
        for column, (label, r) in enumerate(rows.items())
    }
    found, fewest = list(labels.values()), {label: count.rarer for label, count in counted.items()}
    auc, ap = (
        mean_figure([getattr(e, name) for e in found], replicates[:, :, place], list(fewest.values()))
        for place, name in enumerate(FIGURES)
    )
    return Figures(labels, auc, ap, replicates, fewest)


def _label_evaluation(
    label: str, rows: CertainRows, clusters: IntArray, counted: ClassPatients, replicates: FloatArray, minimum: int
) -> LabelEvaluation:
    why = rows.why or why_no_ranking(rows.y)
    found = Curves(None, None, None, None) if why else curves(rows.y, rows.scores)
    refused = why or counted.why_no_interval(max(minimum, 2))
    auc_influences = partial(auc_influence, rows.y, rows.scores, clusters)
    ap_influences = partial(ap_influence, rows.y, rows.scores, clusters)
    auc = _interval(found.roc_auc, replicates[:, 0], auc_influences, counted, refused or _why_not_ranked(rows))
    ap = _interval(found.average_precision, replicates[:, 1], ap_influences, counted, refused)
    reasons = {
        "roc_auc": why,
        "roc_auc_ci": auc.why,
        "average_precision": why,
        "average_precision_ci": ap.why,
    }
    return LabelEvaluation(
        label=label,
        n=rows.n,
        n_positive=rows.positives,
        n_uncertain_dropped=rows.uncertain,
        n_patients=np.unique(clusters).size,
        roc_auc=found.roc_auc,
        roc_auc_ci=auc.ci,
        average_precision=found.average_precision,
        average_precision_ci=ap.ci,
        n_positive_patients=counted.positive,
        n_missing=rows.left_out.n,
        first_missing=rows.left_out.first,
        unusable_resamples=int(np.count_nonzero(np.isnan(replicates[:, 0]))),
        why={figure: reason for figure, reason in reasons.items() if reason},
    )


def _why_not_ranked(rows: CertainRows) -> str | None:
    return ALL_EQUAL if np.ptp(rows.scores) == 0 else None


def _interval(
    area: float | None,
    replicates: FloatArray,
    influences: Callable[[], FloatArray],
    counted: ClassPatients,
    why: str | None,
) -> Interval:
    if why or area is None:
        return Interval(None, why, 0)
    freedom = degrees_of_freedom(influences(), counted.rarer - 1)
    return area_interval(area, replicates, counted.rarer, freedom)
