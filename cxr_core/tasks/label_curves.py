"""One label of one model in detail: its curves for drawing, and answers at a threshold."""

from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cxr_core.arrays import BoolArray, FloatArray, IntArray
from cxr_core.errors import UnknownNameError
from cxr_core.evaluation.binary import MISSING, CertainRows, certain_rows, label_codes
from cxr_core.evaluation.calibration import Calibration, calibration
from cxr_core.evaluation.curves import Curves, PrCurve, RocCurve, curves, drawn_vertices
from cxr_core.evaluation.defined import LeftOut, why_no_ranking
from cxr_core.evaluation.operating import OperatingPoint
from cxr_core.evaluation.patient_sums import Resampling
from cxr_core.evaluation.resamples import patient_clusters
from cxr_core.evaluation.sorted_label import SortedLabel, sorted_label
from cxr_core.evaluation.thresholds import check_wanted, chosen_threshold
from cxr_core.evaluation.uncertain import ShareAbove
from cxr_core.schema import Value
from cxr_core.settings import settings
from cxr_core.warehouse.answers import Joined

C = TypeVar("C", bound=np.generic)
#: The rules that the sorted rows answer without a search.
_LOOKED_UP = {
    "sensitivity": SortedLabel.threshold_for_sensitivity,
    "specificity": SortedLabel.threshold_for_specificity,
}


@dataclass(frozen=True, eq=False)
class LabelCurves:
    """One label of one model: exact figures, curves thinned for drawing, and answers at a threshold.

    `values`, `scores` and `patients` are columns (n,) of the joined images as they are, which all labels look at and
    none copies. `by_value` has those images, the uncertain ones included, sorted by score; those that lack a label
    value or a prediction are in `left_out`. `roc` and `pr` hold at most 1,600 vertices and draw like all of them; they
    and the figures are None, with the reason in `why` under `roc_auc` or `average_precision`, where they are undefined.
    """

    model: str
    label: str
    scale: str
    by_value: SortedLabel
    values: IntArray
    scores: FloatArray
    patients: IntArray
    left_out: LeftOut
    roc: RocCurve | None
    pr: PrCurve | None
    roc_auc: float | None
    average_precision: float | None
    why: dict[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> CertainRows:
        """The certain rows in the order of the images, found anew each time: few ask for them."""
        return certain_rows(self.values, self.scores)

    @property
    def prevalence(self) -> float | None:
        """Share of positives among the certain rows, the precision of guessing; None without rows."""
        return self.by_value.positives / self.by_value.certain if self.by_value.certain else None

    def youden_threshold(self) -> float | None:
        """Return the threshold with the largest sensitivity + specificity, None where ROC is undefined.

        It is chosen on these very rows, so its figures are optimistic.
        """
        return self.threshold("youden")

    def threshold(self, rule: str, wanted: float | None = None) -> float | None:
        """Return the threshold that a rule of `thresholds.RULES` chooses on these rows, None where ROC is undefined.

        `alarms` asks for no class: it chooses wherever rows may be judged.

        Raises:
            UsageError: there is no such rule, or `wanted` does not fit it.
        """
        if self.left_out.why if rule == "alarms" else self.roc is None and rule != "fixed":
            return None
        if rule in _LOOKED_UP:
            check_wanted(rule, wanted)
            return _LOOKED_UP[rule](self.by_value, wanted or 0.0)
        rows = self.rows
        return chosen_threshold(rows.y, rows.scores, rule, wanted)

    def written_threshold(self, threshold: float) -> float:
        """Return the number with the fewest decimals that calls the same of these images positive."""
        return self.by_value.written_threshold(threshold)

    def operating_point(self, threshold: float) -> OperatingPoint:
        """Return the confusion matrix and its shares, with intervals, when score >= threshold is called positive."""
        return self.by_value.operating_point(threshold, settings().minimum_positives)

    def resampling(self) -> Resampling:
        """Return how the certain rows are resampled under the settings in force."""
        chosen, (clusters, n_patients) = settings(), patient_clusters(self.patients)
        return Resampling(clusters[self.rows.mask], n_patients, chosen.resamples, chosen.minimum_positives)

    def calibration(self, bins: int = 10) -> Calibration:
        """Return the reliability of the probabilities with intervals; empty with a reason where there are none."""
        rows = self.rows
        if rows.why:
            return Calibration((), None, None, rows.why)
        return calibration(rows.y, rows.scores, self.scale, bins, self.resampling())

    def shares_above(self, threshold: float) -> dict[str, ShareAbove]:
        """Return, for each label value, the share of its images that score >= threshold."""
        return self.by_value.shares_above(threshold)

    def scores_by_value(self) -> dict[str, FloatArray]:
        """Return the sorted scores of the images with each label value."""
        return {value.name: self.by_value.scores[value] for value in Value}


def curves_of(joined: Joined, model: str, label: str) -> LabelCurves:
    """Return the curves of one label from what `joined_predictions` returned for `model`.

    Raises:
        UnknownNameError: the model lacks the label.
    """
    if label not in joined.labels:
        raise UnknownNameError(f"label of model {model}", label, joined.labels)
    values, scores = label_codes(joined.frame[f"true_{label}"]), joined.frame[f"predicted_{label}"]
    patients = joined.frame["patient"].to_numpy(dtype=np.int64)
    return _curves(model, label, joined.scale, values, scores.to_numpy(dtype=np.float64), patients)


def _curves(
    model: str, label: str, scale: str, values: IntArray, scores: FloatArray, patients: IntArray
) -> LabelCurves:
    rows = certain_rows(values, scores)
    stated = (values != MISSING) & np.isfinite(scores)
    clusters, n_patients = patient_clusters(patients)
    why = rows.why or why_no_ranking(rows.y)
    found = Curves(None, None, None, None) if why else curves(rows.y, rows.scores)
    return LabelCurves(
        model=model,
        label=label,
        scale=scale,
        by_value=sorted_label(_of(values, stated), _of(scores, stated), _of(clusters, stated), n_patients),
        values=values,
        scores=scores,
        patients=patients,
        left_out=rows.left_out,
        roc=_drawn_roc(found.roc),
        pr=_drawn_pr(found.pr),
        roc_auc=found.roc_auc,
        average_precision=found.average_precision,
        why=dict.fromkeys(("roc_auc", "average_precision"), why) if why else {},
    )


def _of(column: NDArray[C], rows: BoolArray) -> NDArray[C]:
    """Return some rows of a column: where they are all there are, the column itself, which others hold too."""
    return column if rows.all() else column[rows]


def _drawn_roc(curve: RocCurve | None) -> RocCurve | None:
    if curve is None:
        return None
    kept = drawn_vertices(curve.fpr, curve.tpr)
    return RocCurve(curve.fpr[kept], curve.tpr[kept], curve.thresholds[kept])


def _drawn_pr(curve: PrCurve | None) -> PrCurve | None:
    if curve is None:
        return None
    kept = drawn_vertices(curve.recall, curve.precision)
    return PrCurve(curve.precision[kept], curve.recall[kept], curve.thresholds[kept])
