"""Do the differences in AUC between groups hold what they promise, and how often is one found where there is none?

Patients have 1 to 4 images. A score is normal, half its variance the patient's and half the image's, and higher on
positive images by what the AUC needs. Groups are of patients (sex, race) or of images (AP and PA), where a patient's
images stand in both the group and the rest. Six labels are independent. In the cells of coverage the last group is
ranked worse by about .08; in those of false alarms none is, and a data set counts when any corrected p of the whole
matrix is below .05.

    python benchmarks/area_gaps_coverage.py [--datasets 4000] [--seed 2026]
"""

import argparse
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from measured import keep

from cxr_core.evaluation.binary import certain_rows
from cxr_core.evaluation.group_areas import AreaGaps, area_gaps
from cxr_core.schema import Value

LABELS = 6
MINIMUM = 30
WORSE = 0.08
#: What must hold of every cell: of the coverage of an interval, and of the matrices with a false alarm.
COVERAGE, FAMILY = (0.93, 0.97), (0.04, 0.06)


@dataclass(frozen=True)
class Cell:
    """A kind of data set: its patients, the shares of its groups, and whether each image has a group of its own."""

    patients: int
    groups: tuple[float, ...]
    by_image: bool
    prevalence: float
    roc_auc: float

    @property
    def name(self) -> str:
        """Return what the cell is called in the results."""
        of_what = "images" if self.by_image else "patients"
        return (
            f"{self.patients} patients, {len(self.groups)} groups of {of_what}, "
            f"{self.prevalence:.0%} positive, AUC {self.roc_auc}"
        )


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
    sizes = random.integers(1, 5, cell.patients)
    patients = np.repeat(np.arange(cell.patients), sizes)
    drawn = random.choice(len(cell.groups), patients.size if cell.by_image else cell.patients, p=cell.groups)
    groups = drawn if cell.by_image else drawn[patients]
    shifts = np.where(groups == len(cell.groups) - 1, shift(cell.roc_auc - worse), shift(cell.roc_auc))
    labels = {}
    for label in range(LABELS):
        noise = sqrt(0.5) * random.normal(size=cell.patients)[patients] + sqrt(0.5) * random.normal(size=patients.size)
        positive = random.random(patients.size) < cell.prevalence
        values = np.where(positive, Value.positive, Value.negative)
        labels[str(label)] = certain_rows(values, noise + shifts * positive)
    masks = {str(group): groups == group for group in range(len(cell.groups))}
    return area_gaps(labels, masks, patients, MINIMUM)


def coverage(cell: Cell, random: np.random.Generator, datasets: int) -> float:
    """Return how often the interval of the last group's gap holds the true one."""
    held = []
    for _ in range(datasets):
        for cells in matrix(cell, random, WORSE).values():
            ci = cells[str(len(cell.groups) - 1)].gap_ci
            if ci is not None:
                held.append(ci[0] <= -WORSE <= ci[1])
    return float(np.mean(held))


def false_alarms(cell: Cell, random: np.random.Generator, datasets: int) -> float:
    """Return the share of data sets without any gap in which one is found."""
    found = 0
    for _ in range(datasets):
        gaps = [gap for of_label in matrix(cell, random, 0.0).values() for gap in of_label.values()]
        p = [gap.p_corrected for gap in gaps if gap.p_corrected is not None]
        found += min(p) < 0.05
    return found / datasets


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    cells, outside = {}, []
    for number, cell in enumerate(CELLS):
        random = np.random.default_rng([options.seed, number])
        found = {
            "coverage": coverage(cell, random, max(options.datasets // LABELS, 1)),
            "false alarms": false_alarms(cell, random, options.datasets),
        }
        cells[cell.name] = found
        for figure, share in found.items():
            low, high = FAMILY if figure == "false alarms" else COVERAGE
            outside += [] if low <= share <= high else [f"{cell.name}, {figure}: {share:.4f}"]
        print(cell.name, {name: round(share, 4) for name, share in found.items()}, flush=True)
    print(f"outside: {outside or 'none'}")
    keep("area_gaps_coverage", {"datasets": options.datasets, "seed": options.seed, "cells": cells, "outside": outside})


if __name__ == "__main__":
    main()
