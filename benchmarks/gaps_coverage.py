"""Do the gaps between groups hold what they promise, and how often is a gap found where there is none?

Data sets are those of `patient_groups`. Whether an image is called right is half the patient's and half the image's (a
normal variable with intraclass correlation .5, cut at the share). In the cells of coverage one group of a label is
served worse by .1; in those of false alarms none is, and a data set counts when any corrected p of the whole matrix is
below .05.

    python benchmarks/gaps_coverage.py [--datasets 4000] [--seed 2026]
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from patient_groups import LABELS, MINIMUM, Groups, measure, share_with_alarm

from cxr_core.evaluation.binary import certain_rows
from cxr_core.evaluation.gaps import FIGURES, GapMatrix, LabelAtCut, gap_matrix
from cxr_core.schema import Value


@dataclass(frozen=True)
class Cell(Groups):
    """A kind of data set: its groups, and the shares of the labels."""

    sensitivity: float = 0.8
    specificity: float = 0.9
    prevalence: float = 0.4


CELLS = (
    Cell(600, (0.5, 0.5), False),
    Cell(1000, (0.5, 0.3, 0.2), False),
    Cell(600, (0.5, 0.5), True),
    Cell(1000, (0.5, 0.3, 0.2), True, 0.7, 0.8),
)


def matrix(cell: Cell, random: np.random.Generator, worse: float) -> GapMatrix:
    """Return the gaps of a data set in which the last group is served worse by so much on every label."""
    patients, groups = cell.draw(random)
    labels = {}
    for label in range(LABELS):
        hidden = cell.noise(patients, random)
        positive = random.random(patients.size) < cell.prevalence
        share = np.where(positive, cell.sensitivity, cell.specificity) - worse * (groups == cell.last)
        shares, place = np.unique(share, return_inverse=True)
        right = hidden < np.array([NormalDist().inv_cdf(one) for one in shares])[place]
        values = np.where(positive, Value.positive, Value.negative)
        labels[str(label)] = LabelAtCut(certain_rows(values, np.where(right == positive, 1.0, 0.0)), 0.5)
    return gap_matrix(labels, cell.masks(groups), patients, MINIMUM)


def coverage(cell: Cell, random: np.random.Generator, datasets: int, worse: float = 0.1) -> dict[str, float]:
    """Return how often the interval of the last group's gap holds the true one, by figure, and is given."""
    held: dict[str, list[bool]] = {figure: [] for figure in FIGURES}
    for _ in range(datasets):
        for cells in matrix(cell, random, worse).labels.values():
            for figure, gap in cells[str(cell.last)].gaps.items():
                if gap.ci is not None:
                    held[figure].append(gap.ci[0] <= -worse <= gap.ci[1])
    return {figure: float(np.mean(each)) for figure, each in held.items()}


def false_alarms(cell: Cell, random: np.random.Generator, datasets: int) -> float:
    """Return the share of data sets without any gap in which one is found."""

    def p_corrected() -> list[float | None]:
        cells = [one for of_label in matrix(cell, random, 0.0).labels.values() for one in of_label.values()]
        return [gap.p_corrected for one in cells for gap in one.gaps.values()]

    return share_with_alarm(p_corrected, datasets)


if __name__ == "__main__":
    measure("gaps_coverage", __doc__, CELLS, coverage, false_alarms)
