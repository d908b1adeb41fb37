"""What is defined, and why not: the one place that every figure, interval and curve asks.

A reason is a clause without a full stop ("there are no negatives"), so that pages, reports and the command line put it
into their own sentence.
"""

from dataclasses import dataclass

import numpy as np

from cxr_core.arrays import IntArray
from cxr_core.words import counted, percent

#: A label is refused when more than this share of its rows lack a prediction or a label value.
LARGEST_MISSING_SHARE = 0.05
#: Fewest patients for the interval of a share of images of one kind, which no other class has a part in.
FEWEST_FOR_A_SHARE = 10

NO_POSITIVES, NO_NEGATIVES = "there are no positives", "there are no negatives"
NO_ROWS = "there are no certain rows"
NOTHING_CALLED_POSITIVE, NOTHING_CALLED_NEGATIVE = "nothing is called positive", "nothing is called negative"
#: A figure without variance says nothing of other patients, however many images it rests on.
ALL_EQUAL = "all predictions are equal, so nothing is ranked"
SEPARATED = "the predictions separate the two classes completely, so these images do not tell how often they fail"
NO_VARIANCE = "it is the same whichever patients are drawn"
SAME_IN_EACH_PATIENT = "it is the same in each patient, so these images do not tell how far patients differ"


def why_no_ranking(y: IntArray) -> str | None:
    """Return why neither AUC nor average precision, nor their curves, are defined for truth `y` (0 or 1), or None.

    Both rank positives against negatives. Without negatives precision is 1 whatever the model says: no figure either.
    """
    positives = int(np.count_nonzero(y))
    return why_no_ranking_of(positives, y.size - positives)


def why_no_ranking_of(positives: int, negatives: int) -> str | None:
    """Return what `why_no_ranking` says of so many rows of each class."""
    if not positives + negatives:
        return NO_ROWS
    if not negatives:
        return NO_NEGATIVES
    return None if positives else NO_POSITIVES


def why_no_variance(figure: float) -> str:
    """Return why an area in [0, 1] that does not vary has no interval."""
    return SEPARATED if figure in (0.0, 1.0) else NO_VARIANCE


def why_no_mean_interval(rarer: IntArray, minimum: int) -> str | None:
    """Return why a mean over labels has no interval, or None.

    Args:
        rarer: (labels,) patients of the rarer class of each label.
        minimum: fewest patients of each class for the interval of one label. A mean over labels of which none has an
            interval has none either; labels with fewer, but two, may take part in one of labels that have.
    """
    if rarer.min(initial=2) < 2:
        return "on one of these labels a class is of a single patient"
    if rarer.max(initial=0) >= minimum:
        return None
    return f"none of these labels has {minimum} patients of each class, which an interval needs"


def why_few(patients: int, minimum: int) -> str | None:
    """Return why images of so few `patients` have no interval, or None from `minimum` patients on."""
    return None if patients >= minimum else f"only {counted(patients, 'patient')}; an interval needs at least {minimum}"


@dataclass(frozen=True)
class ClassPatients:
    """How many patients have a positive row, how many a negative one, and how many either (a patient can have both)."""

    positive: int
    negative: int
    all: int

    @property
    def rarer(self) -> int:
        """Patients of the class that fewer patients have: what an interval rests on."""
        return min(self.positive, self.negative)

    def why_no_interval(self, minimum: int, classes: tuple[str, ...] = ("positive", "negative")) -> str | None:
        """Return why these are too few for the interval of a figure of both classes, or of one of them, or None.

        One rule for all figures: each class that a figure is made of must have `minimum` patients.
        """
        found = {"positive": self.positive, "negative": self.negative}
        few = [f"{counted(found[c], 'patient')} with a {c} label" for c in classes if found[c] < minimum]
        return f"only {' and '.join(few)}; an interval needs at least {minimum}" if few else None


def class_patients(y: IntArray, clusters: IntArray) -> ClassPatients:
    """Count the patients of each class from truth (n,), 0 or 1, and each row's patient (n,), numbered from 0."""
    has = np.zeros((2, int(clusters.max(initial=-1)) + 1), dtype=np.bool_)
    has[0, clusters[y == 1]] = has[1, clusters[y != 1]] = True
    return ClassPatients(*(int(np.count_nonzero(rows)) for rows in (*has, has[0] | has[1])))


@dataclass(frozen=True)
class LeftOut:
    """Rows of one label that are left out because something is missing.

    `predictions` counts the certain rows whose prediction is missing, NaN or infinite, of `certain` in all; `labels`
    the rows without a label value, of `rows` in all; `first` is the position of the first row that is left out.
    """

    rows: int
    certain: int
    predictions: int
    labels: int
    first: int | None = None

    @property
    def n(self) -> int:
        """How many rows are left out."""
        return self.predictions + self.labels

    @property
    def why(self) -> str | None:
        """Return why no figure may be given, or None where few enough are left out."""
        if self.n <= LARGEST_MISSING_SHARE * (self.certain + self.labels):
            return None
        return f"{self.words}; at most {percent(LARGEST_MISSING_SHARE, 0)} may be left out"

    @property
    def words(self) -> str:
        """Say what is missing: "3 of 80 predictions are missing, NaN or infinite"."""
        kinds = []
        if self.predictions:
            kinds.append(f"{self.predictions:,} of {self.certain:,} predictions are missing, NaN or infinite")
        if self.labels:
            kinds.append(f"{self.labels:,} of {self.rows:,} label values are missing")
        return " and ".join(kinds)
