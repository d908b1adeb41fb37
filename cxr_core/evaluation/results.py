"""What an evaluation says: small frozen figures, with the reason beside each figure that is undefined."""

from dataclasses import dataclass, field
from typing import Any

from cxr_core.words import counted

#: A difference whose corrected p is below it is told from nothing.
LEVEL = 0.05
#: What the test of a difference came to: it is there, it cannot be told from none, or it could not be tested.
DIFFERENT, ALIKE, UNTESTED = "different", "alike", "untested"
#: How intervals of areas come about: from what each patient adds, or from resampled patients; `AUTO` is the formula
#: where a class has enough patients for it.
FORMULA, BOOTSTRAP, AUTO = "formula", "bootstrap", "auto"
# A figure that is wrong by as much can be rounded to another third digit.
_THIRD_DIGIT = 0.0005
#: Lower and upper bound of a 95 % interval.
Bounds = tuple[float, float]


@dataclass(frozen=True)
class LabelEvaluation:
    """How good a model is on one label.

    `n` counts the certain rows, `n_positive` the positives among them, `n_uncertain_dropped` the uncertain rows that
    were left out, `n_patients` the patients of the certain rows and `n_positive_patients` those with a positive row.
    `n_missing` rows lack a label value or a prediction and are left out too; `first_missing` is the position of the
    first of them among the rows that were given, and `missing_example` its path, where that is known.
    AUC and AP lie in [0, 1]; a figure that is undefined is None and `why` tells the reason under its name.
    `ci_method` says how the intervals came about, None where there is none; `unusable_resamples` counts the resamples
    without both classes, which a bootstrap leaves out. `bounds` are by how much figures, and the ends of intervals, can
    be wrong at most where they come from sums instead of rows.
    """

    label: str
    n: int
    n_positive: int
    n_uncertain_dropped: int
    n_patients: int
    roc_auc: float | None
    roc_auc_ci: Bounds | None
    average_precision: float | None
    average_precision_ci: Bounds | None
    n_positive_patients: int = 0
    n_missing: int = 0
    first_missing: int | None = None
    missing_example: str | None = None
    unusable_resamples: int = 0
    why: dict[str, str] = field(default_factory=dict)
    ci_method: str | None = None
    bounds: dict[str, float] = field(default_factory=dict)

    @property
    def prevalence(self) -> float | None:
        """Share of positives among the certain rows: the precision of guessing; None without rows."""
        return self.n_positive / self.n if self.n else None

    @property
    def bound_words(self) -> str | None:
        """Say by how much AUC and AP can be wrong where that could change their third digit, else None."""
        names = {"roc_auc": "AUC", "average_precision": "AP"}
        told = [f"{words} ± {self.bounds[figure]:.4f}" for figure, words in names.items() if self._doubtful(figure)]
        return ", ".join(told) or None

    def _doubtful(self, figure: str) -> bool:
        return max(self.bounds.get(figure, 0), self.bounds.get(f"{figure}_ci", 0)) >= _THIRD_DIGIT

    @property
    def missing_words(self) -> str | None:
        """Say how many rows are left out as something is missing, with an example; None where nothing is."""
        if not self.n_missing:
            return None
        example = f", such as {self.missing_example}" if self.missing_example else ""
        return f"{counted(self.n_missing, 'row')} left out for want of a prediction or a label value{example}"

    def as_json(self) -> dict[str, Any]:
        """Return the figures under the names that scripts rely on."""
        return {
            "n": self.n,
            "n_positive": self.n_positive,
            "prevalence": self.prevalence,
            "n_uncertain_dropped": self.n_uncertain_dropped,
            "n_patients": self.n_patients,
            "roc_auc": self.roc_auc,
            "roc_auc_ci": bounds_as_json(self.roc_auc_ci),
            "average_precision": self.average_precision,
            "average_precision_ci": bounds_as_json(self.average_precision_ci),
            "n_missing": self.n_missing,
            "missing_example": self.missing_example,
            "why": dict(self.why),
            "ci_method": self.ci_method,
        } | ({"bounds": dict(self.bounds)} if self.bounds else {})


@dataclass(frozen=True)
class MeanFigure:
    """The mean of one figure over the `labels` on which it is defined, with its interval.

    `value` is None when it is defined on no label, `ci` when it does not vary or a class of a label is of a single
    patient; `why` says so. `ci_method` says how the interval came about.
    """

    value: float | None
    ci: Bounds | None
    labels: int
    why: str | None = None
    ci_method: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the mean under the names that scripts rely on."""
        ends = {"ci": bounds_as_json(self.ci), "ci_method": self.ci_method}
        return {"value": self.value, "labels": self.labels, "why": self.why} | ends


@dataclass(frozen=True)
class LabelComparison:
    """The paired difference AUC(a) - AUC(b) of two models on one label, on rows that both predict.

    `ci` is the 95 % interval by patient and `p` its two-sided p, both for this label alone. `p_corrected` is the p
    after correction over the family and `ci_corrected` the interval that goes with it: it leaves out 0 exactly where
    `p_corrected` is below `LEVEL`. `p_delong` is that of DeLong's test, which takes images as independent. What is
    undefined is None, with its reason in `why`.
    """

    label: str
    n: int
    difference: float | None
    ci: Bounds | None
    p: float | None
    p_corrected: float | None
    p_delong: float | None
    why: dict[str, str] = field(default_factory=dict)
    ci_corrected: Bounds | None = None

    @property
    def state(self) -> str:
        """`different`, `alike` (not told from 0) or `untested`, whose reason is `why_untested`."""
        if self.p_corrected is None:
            return UNTESTED
        return DIFFERENT if self.p_corrected < LEVEL else ALIKE

    @property
    def why_untested(self) -> str | None:
        """The reason for which there is no test, None where there is one."""
        return (self.why.get("difference") or self.why.get("p")) if self.p_corrected is None else None

    def as_json(self) -> dict[str, Any]:
        """Return the figures under the names that scripts rely on."""
        return {
            "n": self.n,
            "difference": self.difference,
            "ci": bounds_as_json(self.ci),
            "p": self.p,
            "p_corrected": self.p_corrected,
            "p_delong": self.p_delong,
            "why": dict(self.why),
            "ci_corrected": bounds_as_json(self.ci_corrected),
            "state": self.state,
            "ci_method": None if self.ci is None else FORMULA,
        }


def bounds_as_json(bounds: Bounds | None) -> list[float] | None:
    """Return an interval as [low, high], or None."""
    return None if bounds is None else [bounds[0], bounds[1]]
