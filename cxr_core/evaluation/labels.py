"""All labels of one model at once: figures, intervals on shared resamples, and means over the labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxr_core.evaluation.arrays import FloatArray, IntArray
from cxr_core.evaluation.binary import CertainRows, certain_rows
from cxr_core.evaluation.curves import average_precision, roc_auc, why_no_pr, why_no_roc
from cxr_core.evaluation.intervals import Interval, percentile_interval, why_no_interval
from cxr_core.evaluation.resamples import patient_clusters
from cxr_core.evaluation.results import LabelEvaluation, MeanFigure
from cxr_core.evaluation.weighted import bootstrap, rank_rows


@dataclass(frozen=True)
class Figures:
    """The evaluation of each label, and the mean AUC and AP over the labels on which they are defined."""

    labels: dict[str, LabelEvaluation]
    mean_roc_auc: MeanFigure
    mean_average_precision: MeanFigure


def evaluate_labels(
    values: Mapping[str, Any], scores: Mapping[str, Any], patients: Any, resamples: int, minimum: int
) -> Figures:
    """Evaluate predictions on every label that a model has.

    Args:
        values: label -> label codes (n,), 0 to 3, -1 or NaN where missing; may hold labels that the model lacks.
        scores: label -> predictions (n,) as stored, on any scale.
        patients: (n,) the patient of each row, of any type that sorts.
        resamples: number of bootstrap resamples.
        minimum: fewest positives, negatives and patients for which an interval is given.

    Raises:
        TableError: a label value is neither missing nor one of the codes 0 to 3.
    """
    clusters, n_patients = patient_clusters(patients)
    rows = {label: certain_rows(values[label], scores[label]) for label in scores}
    ranked = [rank_rows(r.y, _finite(r), clusters[r.mask], n_patients) for r in rows.values()]
    replicates = bootstrap(ranked, n_patients, resamples)
    labels = {
        label: _label_evaluation(label, r, clusters[r.mask], replicates[:, column], minimum)
        for column, (label, r) in enumerate(rows.items())
    }
    found = list(labels.values())
    auc = _mean([e.roc_auc for e in found], [e.roc_auc_ci is not None for e in found], replicates[:, :, 0])
    ap_ci = [e.average_precision_ci is not None for e in found]
    return Figures(labels, auc, _mean([e.average_precision for e in found], ap_ci, replicates[:, :, 1]))


def _finite(rows: CertainRows) -> FloatArray:
    """Return the scores, or zeros where some are no numbers (those rows are refused, only their shape is needed)."""
    return np.zeros(rows.n) if rows.why else rows.scores


def _label_evaluation(
    label: str, rows: CertainRows, clusters: IntArray, replicates: FloatArray, minimum: int
) -> LabelEvaluation:
    why_auc, why_ap = rows.why or why_no_roc(rows.y), rows.why or why_no_pr(rows.y)
    why_few = why_no_interval(rows.y, clusters, minimum)
    auc_interval = _interval(replicates[:, 0], why_auc or why_few)
    ap_interval = _interval(replicates[:, 1], why_ap or why_few)
    reasons = {
        "roc_auc": why_auc,
        "roc_auc_ci": auc_interval.why,
        "average_precision": why_ap,
        "average_precision_ci": ap_interval.why,
    }
    return LabelEvaluation(
        label=label,
        n=rows.n,
        n_positive=rows.positives,
        n_uncertain_dropped=rows.uncertain,
        n_patients=np.unique(clusters).size,
        roc_auc=None if why_auc else roc_auc(rows.y, rows.scores),
        roc_auc_ci=auc_interval.ci,
        average_precision=None if why_ap else average_precision(rows.y, rows.scores),
        average_precision_ci=ap_interval.ci,
        unusable_resamples=int(np.count_nonzero(np.isnan(replicates[:, 0]))),
        why={figure: reason for figure, reason in reasons.items() if reason},
    )


def _interval(replicates: FloatArray, why: str | None) -> Interval:
    return Interval(None, why, 0) if why else percentile_interval(replicates)


def _mean(figures: list[float | None], has_interval: list[bool], replicates: FloatArray) -> MeanFigure:
    defined = [column for column, figure in enumerate(figures) if figure is not None]
    if not defined:
        return MeanFigure(None, None, 0, "it is defined on no label")
    value = float(np.mean([figures[column] for column in defined]))
    without = sum(not has_interval[column] for column in defined)
    if without:
        return MeanFigure(value, None, len(defined), f"{without} of these labels have no interval")
    interval = percentile_interval(replicates[:, defined].mean(axis=1))
    return MeanFigure(value, interval.ci, len(defined), interval.why)
