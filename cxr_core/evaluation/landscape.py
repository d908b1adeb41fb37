"""Which of many policies is best on a label, what cannot be told from it, and what choosing it gains.

The best of a hundred figures is too good by chance. So two things are said of it, and neither is read off the figures
among which it was found:

- *What cannot be told from it*: every two heads are compared, paired and by patient, and the marks hold over all pairs
  of the label at once (max-T), as `grid` does for models.
- *The gain*: patients are dealt into two halves; in each the best on the other is compared with the reference. What
  comes together is the gain of choosing so, on patients that took no part in the choice, each half weighing as many
  pairs of a positive and a negative as it has. The interval is by patient, and wider than if the halves knew nothing of
  each other: a head that does well by chance in one is chosen for the other, so their gains vary together. Of two heads
  that are equally good their correlation is 1 / pi (E[max(D, 0)]^2 over Var(D) / 2 for a normal difference D), of more
  it is less; 1 / pi is taken. With more folds than two it would be larger, and no number is known for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import pi, sqrt

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from cxr_core.arrays import BoolArray, FloatArray, IntArray
from cxr_core.evaluation.binary import binary_truth
from cxr_core.evaluation.curves import ranked_ap
from cxr_core.evaluation.defined import ClassPatients, class_patients, why_no_ranking
from cxr_core.evaluation.fitted import deal_patients
from cxr_core.evaluation.influence import auc_of_rows
from cxr_core.evaluation.patient_sums import sum_by_patient
from cxr_core.evaluation.ranking import ranking
from cxr_core.evaluation.results import LEVEL, Bounds
from cxr_core.evaluation.simultaneous import Difference, clustered, family_of, holm_corrected

#: Draws of the largest difference; of 7,000 pairs these take a fraction of a second.
_DRAWS = 2_000
_ROUNDING = 1e-12
#: Into how many the patients are dealt, and the largest correlation of the gains of the two.
_PARTS, _CORRELATION = 2, 1 / pi

SAME_HEAD = "in both halves of the patients the reference was best, so nothing is gained and nothing varies"


@dataclass(frozen=True)
class Gain:
    """What choosing the best gains in AUC over the reference, by cross-fitting; None where `why` says so.

    `ci` and `p`, of "no gain", two-sided, are for this label alone; `ci_corrected` and `p_corrected` for all labels
    (Holm), see `corrected_gains`, which asks `tested` for the interval at its level.
    """

    value: float | None = None
    ci: Bounds | None = None
    p: float | None = None
    p_corrected: float | None = None
    why: str | None = None
    ci_corrected: Bounds | None = None
    tested: Difference | None = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class LabelLandscape:
    """The h heads of one label: `roc_auc` and `average_precision` (h,), the `best` head, and which are `alike` (h,).

    `alike` heads, the best among them, cannot be told from the best. All is empty where `why` says that nothing ranks.
    """

    n: int
    n_positive: int
    counted: ClassPatients
    roc_auc: FloatArray
    average_precision: FloatArray
    best: int | None
    alike: BoolArray
    gain: Gain
    why: str | None = None


def label_landscape(
    values: npt.ArrayLike, scores: npt.NDArray[np.floating], patients: IntArray, reference: int, minimum: int
) -> LabelLandscape:
    """Judge the heads of one label.

    Args:
        values: (n,) label codes of the judge, 0 to 3, -1 where missing; uncertain rows are left out.
        scores: (h, n) of the heads, finite.
        patients: (n,) whose rows they are.
        reference: the head that gains are over; among equally good heads it counts as the best.
        minimum: fewest patients of each class for which an interval, a p or a mark is given.
    """
    mask, truth = binary_truth(values)
    y, of_rows = truth[mask], np.asarray(scores, np.float64)[:, mask]
    _, clusters = np.unique(patients[mask], return_inverse=True)
    counted = class_patients(y, clusters)
    if why := why_no_ranking(y):
        return nothing_ranked(y.size, int(y.sum()), counted, why)
    aucs, precisions, influences = _areas(y, of_rows, clusters)
    best = _best(aucs, reference)
    few = counted.why_no_interval(max(minimum, 2))
    alike = np.ones(aucs.size, np.bool_) if few else _alike(aucs, influences, best, counted)
    gain = Gain(why=few) if few else _gain(y, of_rows, clusters, reference, counted)
    return LabelLandscape(y.size, int(y.sum()), counted, aucs, precisions, best, alike, gain)


def nothing_ranked(n: int, n_positive: int, counted: ClassPatients, why: str) -> LabelLandscape:
    """Return the landscape of a label on which nothing ranks, with the reason."""
    none = np.empty(0)
    return LabelLandscape(n, n_positive, counted, none, none, None, np.zeros(0, np.bool_), Gain(why=why), why)


def corrected_gains(gains: Sequence[Gain]) -> list[Gain]:
    """Return gains of several labels with p and intervals corrected for all of them (Holm 1979)."""
    found = list(gains)
    tested = {place: gain.tested for place, gain in enumerate(gains) if gain.tested}
    for place, (p, ends) in holm_corrected(tested).items():
        found[place] = replace(gains[place], p_corrected=p, ci_corrected=ends)
    return found


def _areas(y: IntArray, scores: FloatArray, clusters: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return AUC (h,), AP (h,), and (patients, h) the influence of each patient on each AUC."""
    precisions, influences = np.empty(len(scores)), np.empty((int(clusters.max()) + 1, len(scores)))
    for head, of_head in enumerate(scores):
        ranked = ranking(y, of_head)
        precisions[head] = ranked_ap(ranked)
        influences[:, head] = sum_by_patient(auc_of_rows(ranked), clusters)
    return auc_of_all(y, scores), precisions, influences


def auc_of_all(y: IntArray, scores: FloatArray) -> FloatArray:
    """Return the AUC (h,) of many scores (h, n) of the same truth (n,), 0 or 1, by the sum of ranks; ties are half."""
    positives = int(y.sum())
    ranks = rankdata(scores, axis=1)[:, y == 1].sum(axis=1)
    found: FloatArray = (ranks - positives * (positives + 1) / 2) / (positives * (y.size - positives))
    return found


def _best(aucs: FloatArray, reference: int) -> int:
    return reference if aucs[reference] >= aucs.max() - _ROUNDING else int(np.argmax(aucs))


def _alike(aucs: FloatArray, influences: FloatArray, best: int, counted: ClassPatients) -> BoolArray:
    """Return which heads cannot be told from the best, over every two heads at once."""
    pairs = [(a, b) for a in range(aucs.size) for b in range(a + 1, aucs.size)]
    family = family_of(influences, pairs, _DRAWS)
    alike = np.ones(aucs.size, np.bool_)
    for head in range(aucs.size):
        found = clustered(aucs[best] - aucs[head], influences[:, best] - influences[:, head], counted.rarer)
        if found is not None:
            alike[head] = family.corrected(found.p) >= LEVEL
    return alike


def _gain(y: IntArray, scores: FloatArray, clusters: IntArray, reference: int, counted: ClassPatients) -> Gain:
    """Return the cross-fitted gain of choosing the best head over the reference."""
    parts, value, moved, pairs = deal_patients(clusters, _PARTS), 0.0, np.zeros(int(clusters.max()) + 1), 0
    for part in range(_PARTS):
        here, others = parts == part, parts != part
        held_out, chosen_on = y[here], y[others]
        weight = int(held_out.sum()) * int((held_out == 0).sum())
        if not weight or why_no_ranking(chosen_on):
            continue
        best = _best(auc_of_all(chosen_on, scores[:, others]), reference)
        both = auc_of_all(held_out, scores[[best, reference]][:, here])
        influence = _influence(held_out, scores[best, here]) - _influence(held_out, scores[reference, here])
        value += weight * float(both[0] - both[1])
        moved += weight * sum_by_patient(influence, clusters[here], moved.size)
        pairs += weight
    if not pairs:
        return Gain(why="no part of the patients has both classes")
    spread = moved / pairs * sqrt(1 + _CORRELATION)
    found: Difference | None = clustered(value / pairs, spread, counted.rarer)
    if found is None:
        return Gain(value / pairs, why=SAME_HEAD)
    return Gain(found.value, found.interval(), found.p, tested=found)


def _influence(y: IntArray, scores: FloatArray) -> FloatArray:
    return auc_of_rows(ranking(y, scores))
