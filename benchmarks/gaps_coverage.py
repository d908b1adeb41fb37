"""Do the gaps between groups hold what they promise, and how often is a gap found where there is none?

Patients have 1 to 4 images. Whether an image is called right is half the patient's and half the image's (a normal
variable with intraclass correlation .5, cut at the share). Groups are of patients (sex, race) or of images (AP and PA),
where a patient's images stand in both the group and the rest. Six labels are independent. In the cells of coverage one
group of a label is served worse by .1; in those of false alarms none is, and a data set counts when any corrected p of
the whole matrix is below .05.

    python benchmarks/gaps_coverage.py [--datasets 4000] [--seed 2026]
"""

import argparse
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from measured import keep

from cxr_core.evaluation.binary import certain_rows
from cxr_core.evaluation.gaps import FIGURES, GapMatrix, LabelAtCut, gap_matrix
from cxr_core.schema import Value

LABELS = 6
MINIMUM = 30
#: What must hold of every cell: of the coverage of an interval, and of the matrices with a false alarm.
COVERAGE, FAMILY = (0.93, 0.97), (0.04, 0.06)


@dataclass(frozen=True)
class Cell:
    """A kind of data set: its patients, the shares of its groups, and whether each image has a group of its own."""

    patients: int
    groups: tuple[float, ...]
    by_image: bool
    sensitivity: float = 0.8
    specificity: float = 0.9
    prevalence: float = 0.4

    @property
    def name(self) -> str:
        """Return what the cell is called in the results."""
        of_what = "images" if self.by_image else "patients"
        return f"{self.patients} patients, {len(self.groups)} groups of {of_what}"


CELLS = (
    Cell(600, (0.5, 0.5), False),
    Cell(1000, (0.5, 0.3, 0.2), False),
    Cell(600, (0.5, 0.5), True),
    Cell(1000, (0.5, 0.3, 0.2), True, 0.7, 0.8),
)


def matrix(cell: Cell, random: np.random.Generator, worse: float) -> GapMatrix:
    """Return the gaps of a data set in which the last group is served worse by so much on every label."""
    sizes = random.integers(1, 5, cell.patients)
    patients = np.repeat(np.arange(cell.patients), sizes)
    drawn = random.choice(len(cell.groups), patients.size if cell.by_image else cell.patients, p=cell.groups)
    groups = drawn if cell.by_image else drawn[patients]
    last = groups == len(cell.groups) - 1
    labels = {}
    for label in range(LABELS):
        hidden = sqrt(0.5) * random.normal(size=cell.patients)[patients] + sqrt(0.5) * random.normal(size=patients.size)
        positive = random.random(patients.size) < cell.prevalence
        share = np.where(positive, cell.sensitivity, cell.specificity) - worse * last
        shares, place = np.unique(share, return_inverse=True)
        right = hidden < np.array([NormalDist().inv_cdf(one) for one in shares])[place]
        values = np.where(positive, Value.positive, Value.negative)
        labels[str(label)] = LabelAtCut(certain_rows(values, np.where(right == positive, 1.0, 0.0)), 0.5)
    masks = {str(group): groups == group for group in range(len(cell.groups))}
    return gap_matrix(labels, masks, patients, MINIMUM)


def coverage(cell: Cell, random: np.random.Generator, datasets: int, worse: float = 0.1) -> dict[str, float]:
    """Return how often the interval of the last group's gap holds the true one, by figure, and is given."""
    held: dict[str, list[bool]] = {figure: [] for figure in FIGURES}
    last = str(len(cell.groups) - 1)
    for _ in range(datasets):
        for cells in matrix(cell, random, worse).labels.values():
            for figure, gap in cells[last].gaps.items():
                if gap.ci is not None:
                    held[figure].append(gap.ci[0] <= -worse <= gap.ci[1])
    return {figure: float(np.mean(each)) for figure, each in held.items()}


def false_alarms(cell: Cell, random: np.random.Generator, datasets: int) -> float:
    """Return the share of data sets without any gap in which one is found."""
    found = 0
    for _ in range(datasets):
        cells = [one for of_label in matrix(cell, random, 0.0).labels.values() for one in of_label.values()]
        p = [gap.p_corrected for one in cells for gap in one.gaps.values() if gap.p_corrected is not None]
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
        found = coverage(cell, random, max(options.datasets // LABELS, 1))
        found["false alarms"] = false_alarms(cell, random, options.datasets)
        cells[cell.name] = found
        for figure, share in found.items():
            low, high = FAMILY if figure == "false alarms" else COVERAGE
            outside += [] if low <= share <= high else [f"{cell.name}, {figure}: {share:.4f}"]
        print(cell.name, {name: round(share, 4) for name, share in found.items()})
    print(f"outside: {outside or 'none'}")
    keep("gaps_coverage", {"datasets": options.datasets, "seed": options.seed, "cells": cells, "outside": outside})


if __name__ == "__main__":
    main()
