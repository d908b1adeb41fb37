"""Do two judges say the same of a label's images, and does one of them call more of them present?

Both are asked of the images on which either says present or absent. Agreement is the share of images on which they say
the same, and Cohen's kappa (1960), which takes off what they would agree on by chance. The difference is the share that
the first calls present minus that of the second; its variance is the sum of squares of what each patient adds to it,
with one image a patient that of McNemar's paired shares (Agresti 2013, section 11.1). Only patients of whom the judges
say different things tell of it, so their number decides whether there is an interval, and gives its degrees of freedom.
The tests of all labels are one family, corrected by Holm (1979).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from cxr_core.arrays import IntArray
from cxr_core.evaluation.agreement import agreement
from cxr_core.evaluation.defined import FEWEST_FOR_A_SHARE
from cxr_core.evaluation.patient_sums import sum_by_patient
from cxr_core.evaluation.proportions import share_interval
from cxr_core.evaluation.resamples import patient_clusters
from cxr_core.evaluation.results import Bounds, bounds_as_json
from cxr_core.evaluation.simultaneous import Difference, clustered, holm_corrected
from cxr_core.schema import Value, Verdict
from cxr_core.words import counted

NO_IMAGES = "there is no image on which both judges say present or absent"


@dataclass(frozen=True)
class LabelAgreement:
    """What two judges say of one label on `n` images of `n_patients` patients; what is undefined is None.

    `present` counts the images that either calls present; `difference` is the first's share of them minus the second's,
    `ci` and `p` for this label alone, `p_corrected` and `ci_corrected` for all labels. `why` says why by figure.
    """

    n: int
    n_patients: int
    present: tuple[int, int]
    agree: float | None = None
    agree_ci: Bounds | None = None
    kappa: float | None = None
    kappa_ci: Bounds | None = None
    difference: float | None = None
    ci: Bounds | None = None
    p: float | None = None
    p_corrected: float | None = None
    ci_corrected: Bounds | None = None
    why: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the figures under the names that scripts rely on."""
        plain = ("n", "n_patients", "agree", "kappa", "difference", "p", "p_corrected", "why")
        intervals = ("agree_ci", "kappa_ci", "ci", "ci_corrected")
        document = {name: getattr(self, name) for name in plain} | {"present": list(self.present)}
        return document | {name: bounds_as_json(getattr(self, name)) for name in intervals}


def label_agreements(
    first: Mapping[str, IntArray], second: Mapping[str, IntArray], patients: IntArray, resamples: int
) -> dict[str, LabelAgreement]:
    """Return what two judges say of the labels that both judge, corrected as one family.

    Args:
        first: label -> label codes (n,), -1 where missing; uncertain is no verdict, not mentioned is absent.
        second: the other judge's, of the same rows.
        patients: (n,) whose images they are.
        resamples: of the patients, for the interval of kappa.
    """
    found: dict[str, LabelAgreement] = {}
    tested: dict[str, Difference] = {}
    for label in (label for label in first if label in second):
        votes = np.stack([_votes(first[label]), _votes(second[label])], axis=1)
        found[label], difference = _label(votes, patients, resamples)
        if difference is not None:
            tested[label] = difference
    for label, (p, ends) in holm_corrected(tested).items():
        found[label] = replace(found[label], p_corrected=p, ci_corrected=ends)
    return found


def _votes(codes: IntArray) -> IntArray:
    """Return label codes (n,) as codes of `Verdict`, 0 where missing."""
    absent = (codes == Value.not_mentioned) | (codes == Value.negative)
    said = [codes == Value.positive, absent, codes == Value.uncertain]
    return np.select(said, [Verdict.present, Verdict.absent, Verdict.unsure], 0)


def _label(votes: IntArray, patients: IntArray, resamples: int) -> tuple[LabelAgreement, Difference | None]:
    both = ((votes == Verdict.present) | (votes == Verdict.absent)).all(axis=1)
    present, clusters = votes[both] == Verdict.present, patient_clusters(patients[both])[0]
    n, of_patients = len(present), int(clusters.max(initial=-1)) + 1
    if not n:
        return LabelAgreement(0, 0, (0, 0), why=dict.fromkeys(("agree", "kappa", "difference"), NO_IMAGES)), None
    same = present[:, 0] == present[:, 1]
    images = sum_by_patient(np.ones(n), clusters)
    agree = share_interval(sum_by_patient(same, clusters), images, FEWEST_FOR_A_SHARE)
    kappa = agreement(votes[both], patients[both], resamples)
    value = float(np.mean(present[:, 0]) - np.mean(present[:, 1]))
    added = sum_by_patient(present[:, 0].astype(float) - present[:, 1], clusters) - value * images
    differing = int(np.unique(clusters[~same]).size)
    difference = clustered(value, added / n, differing) if differing >= FEWEST_FOR_A_SHARE else None
    few = f"the judges differ on {counted(differing, 'patient')} alone; an interval needs {FEWEST_FOR_A_SHARE}"
    why = {"agree_ci": agree.why, "kappa" if kappa.kappa is None else "kappa_ci": kappa.why}
    why |= {"difference_ci": None if difference else few}
    judged = LabelAgreement(
        n=n,
        n_patients=of_patients,
        present=(int(present[:, 0].sum()), int(present[:, 1].sum())),
        agree=float(np.mean(same)),
        agree_ci=agree.ci,
        kappa=kappa.kappa,
        kappa_ci=kappa.ci,
        difference=value,
        ci=difference.interval() if difference else None,
        p=difference.p if difference else None,
        why={name: reason for name, reason in why.items() if reason},
    )
    return judged, difference
