"""How good is a model of whose predictions there are too many to be fetched? Its labels, from sums."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from cxr_core.arrays import FloatArray
from cxr_core.evaluation.areas import FIGURES
from cxr_core.evaluation.binned import Binned, BinnedArea, binned_areas
from cxr_core.evaluation.curves import PrCurve, RocCurve
from cxr_core.evaluation.defined import ClassPatients, LeftOut, why_no_ranking_of
from cxr_core.evaluation.intervals import FEWEST_FOR_FORMULA, Interval
from cxr_core.evaluation.labels import Figures
from cxr_core.evaluation.means import LabelsOfFigure
from cxr_core.evaluation.results import BOOTSTRAP, FORMULA, LabelEvaluation
from cxr_core.schema import Value
from cxr_core.settings import settings
from cxr_core.sources.registry import get_source
from cxr_core.warehouse.binned_questions import EVEN_BINS, NO_LABEL, NO_PREDICTION
from cxr_core.warehouse.table_sums import LabelSums, SummedTables

_NO_RESAMPLES = (
    "resampling needs the rows, which are too many to be fetched; by formula an interval needs "
    f"{FEWEST_FOR_FORMULA} patients of each class"
)


@dataclass(frozen=True, eq=False)
class SummedLabel:
    """One label from sums: its figures, and its curves, which are exact where they have a vertex."""

    figures: LabelEvaluation
    rarer_patients: int
    roc: RocCurve | None = None
    pr: PrCurve | None = None


@dataclass(frozen=True, eq=False)
class SummedModel:
    """A model on one data set; `knots` are scores of each label, from the smallest to the largest."""

    tables: SummedTables
    labels: dict[str, SummedLabel]
    figures: Figures = field(repr=False)

    @property
    def knots(self) -> dict[str, FloatArray]:
        """Scores of each label, from about the smallest to about the largest."""
        return {label: np.array(sums.cuts) for label, sums in self.tables.labels.items()}


def summed_model(
    source_name: str, model: str, dataset: str, view: str | None, labels: Sequence[str] | None = None
) -> SummedModel | None:
    """Return a model's figures from sums where its predictions are more than `most_joined_rows`, else None.

    `labels` are those that are asked for; None for all that the model has.
    None also where the tables cannot be summed in one place (`TableSums.sums`). Raises as `evaluate`.
    """
    warehouse, most = get_source(source_name).warehouse(), settings().most_joined_rows
    if warehouse.predicted_rows(model, dataset, view, most) <= most:
        return None
    tables = warehouse.sums(model, dataset, view, labels)
    if tables is None:
        return None
    found = {label: summed_label(label, sums) for label, sums in tables.labels.items()}
    evaluations = {label: one.figures for label, one in found.items()}
    return SummedModel(tables, found, Figures(evaluations, {figure: _means_of(figure, found) for figure in FIGURES}))


def summed_label(label: str, sums: LabelSums) -> SummedLabel:
    """Return the figures and the curves of a label."""
    counts = sums.counts[:NO_PREDICTION]
    positives = counts[:, Value.positive]
    negatives = counts[:, Value.not_mentioned] + counts[:, Value.negative]
    left_out, patients = _left_out(sums), _class_patients(sums)
    counted = LabelEvaluation(
        label=label,
        n=int(positives.sum() + negatives.sum()),
        n_positive=int(positives.sum()),
        n_uncertain_dropped=int(sums.counts[:, Value.uncertain].sum()),
        n_patients=patients.all,
        roc_auc=None,
        roc_auc_ci=None,
        average_precision=None,
        average_precision_ci=None,
        n_positive_patients=patients.positive,
        n_missing=left_out.n,
    )
    why = left_out.why or why_no_ranking_of(counted.n_positive, counted.n - counted.n_positive)
    if why or sums.of_patients is None:
        names = [name for figure in FIGURES for name in (figure, f"{figure}_ci")]
        return SummedLabel(replace(counted, why=dict.fromkeys(names, why or "")), patients.rarer)
    binned = Binned(positives, negatives, _lows(sums.cuts))
    figures = _with_figures(counted, _areas(binned, patients, sums.of_patients), _refused(patients))
    return SummedLabel(figures, patients.rarer, binned.roc(), binned.pr())


def _areas(binned: Binned, patients: ClassPatients, sums: dict[str, float]) -> dict[str, BinnedArea]:
    if patients.rarer >= 2:
        return binned_areas(binned, patients, int(sums["patients"]), sums)
    each = {"roc_auc": binned.auc(), "average_precision": binned.average_precision()}
    return {figure: BinnedArea(value, off, 0.0, 0.0, 1.0) for figure, (value, off) in each.items()}


def _refused(patients: ClassPatients) -> str | None:
    """Return why there is no interval, or None."""
    chosen = settings()
    few = chosen.intervals != FORMULA and patients.rarer < FEWEST_FOR_FORMULA
    no_resamples = _NO_RESAMPLES if few or chosen.intervals == BOOTSTRAP else None
    return patients.why_no_interval(max(chosen.minimum_positives, 2)) or no_resamples


def _with_figures(counted: LabelEvaluation, areas: dict[str, BinnedArea], refused: str | None) -> LabelEvaluation:
    """Add AUC and average precision, their intervals, bounds and reasons."""
    nothing = (Interval(None, refused, 0), None)
    intervals = {figure: nothing if refused else area.interval() for figure, area in areas.items()}
    bounds = {figure: area.off for figure, area in areas.items()}
    bounds |= {f"{figure}_ci": off for figure, (_, off) in intervals.items() if off is not None}
    (auc, _), (ap, _) = intervals["roc_auc"], intervals["average_precision"]
    return replace(
        counted,
        roc_auc=areas["roc_auc"].value,
        roc_auc_ci=auc.ci,
        average_precision=areas["average_precision"].value,
        average_precision_ci=ap.ci,
        why={f"{figure}_ci": one.why for figure, (one, _) in intervals.items() if one.why},
        ci_method=FORMULA if auc.ci or ap.ci else None,
        bounds=bounds,
    )


def _left_out(sums: LabelSums) -> LeftOut:
    counts = sums.counts
    certain = [Value.not_mentioned, Value.negative, Value.positive]
    lost = int(counts[NO_PREDICTION, certain].sum())
    return LeftOut(int(counts.sum()), int(counts[:, certain].sum()), lost, int(counts[:, NO_LABEL].sum()))


def _class_patients(sums: LabelSums) -> ClassPatients:
    names = ("positive_patients", "negative_patients", "certain_patients")
    return ClassPatients(*(int((sums.of_patients or {}).get(name, 0)) for name in names))


def _lows(cuts: tuple[float, ...]) -> FloatArray:
    """Return the lowest score of every bin, those of no knots being the largest again."""
    parts = [np.linspace(low, high, EVEN_BINS, endpoint=False) for low, high in pairwise(cuts)]
    found = np.concatenate(parts)
    return np.append(found, np.full(NO_PREDICTION - found.size, cuts[-1]))


def _means_of(figure: str, labels: dict[str, SummedLabel]) -> LabelsOfFigure:
    having = {label: one for label, one in labels.items() if getattr(one.figures, figure) is not None}
    values = np.array([getattr(one.figures, figure) for one in having.values()], dtype=np.float64)
    rarer = np.array([one.rarer_patients for one in having.values()], dtype=np.int64)
    return LabelsOfFigure(tuple(having), values, rarer, settings().minimum_positives, None, None)
