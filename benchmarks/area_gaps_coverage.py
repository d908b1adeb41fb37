"""Do the differences in AUC between groups hold what they promise, and how often is one found where there is none?

Data sets are those of `patient_groups`. A score is normal, half its variance the patient's and half the image's, and
higher on positive images by what the AUC needs. In the cells of coverage the last group is ranked worse by .08; in
those of false alarms none is, and a data set counts when any corrected p of the whole matrix is below .05.

    python benchmarks/area_gaps_coverage.py [--datasets 4000] [--seed 2026]
"""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from patient_groups import LABELS, MINIMUM, Groups, measure, share_with_alarm

from cxr_core.evaluation.binary import certain_rows
from cxr_core.evaluation.group_areas import AreaGaps, area_gaps
from cxr_core.schema import Value


@dataclass(frozen=True)
class Cell(Groups):
    """A kind of data set: its groups, the share of positive images, and the AUC."""

    prevalence: float
    roc_auc: float

    @property
    def name(self) -> str:
        """Return what the cell is called in the results."""
        return f"{super().name}, {self.prevalence:.0%} positive, AUC {self.roc_auc}"


CELLS = (
    Cell(600, (0.5, 0.5), False, 0.3, 0.8),
    Cell(1200, (0.5, 0.3, 0.2), False, 0.2, 0.9),
    Cell(600, (0.5, 0.5), True, 0.3, 0.7),
    Cell(2000, (0.5, 0.3, 0.2), True, 0.1, 0.85),
)


def shift(roc_auc: float) -> float:
    """Return how many standard deviations lie between two normal classes of that AUC."""
    return sqrt(2) * NormalDist().inv_cdf(roc_auc)


def matrix(cell: Cell, random: np.random.Generator, worse: float) -> AreaGaps:
    """Return the gaps of a data set in which the last group is ranked worse by so much on every label."""
    patients, groups = cell.draw(random)
    shifts = np.where(groups == cell.last, shift(cell.roc_auc - worse), shift(cell.roc_auc))
    labels = {}
    for label in range(LABELS):
        noise = cell.noise(patients, random)
        positive = random.random(patients.size) < cell.prevalence
        values = np.where(positive, Value.positive, Value.negative)
        labels[str(label)] = certain_rows(values, noise + shifts * positive)
    return area_gaps(labels, cell.masks(groups), patients, MINIMUM)


def coverage(cell: Cell, random: np.random.Generator, datasets: int, worse: float = 0.08) -> dict[str, float]:
    """Return how often the interval of the last group's gap holds the true one."""
    held = []
    for _ in range(datasets):
        for cells in matrix(cell, random, worse).values():
            ci = cells[str(cell.last)].gap_ci
            if ci is not None:
                held.append(ci[0] <= -worse <= ci[1])
    return {"coverage": float(np.mean(held))}


def false_alarms(cell: Cell, random: np.random.Generator, datasets: int) -> float:
    """Return the share of data sets without any gap in which one is found."""

    def p_corrected() -> list[float | None]:
        return [gap.p_corrected for of_label in matrix(cell, random, 0.0).values() for gap in of_label.values()]

    return share_with_alarm(p_corrected, datasets)


if __name__ == "__main__":
    measure("area_gaps_coverage", __doc__, CELLS, coverage, false_alarms)
