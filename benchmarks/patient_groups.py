"""Data sets of patients in groups, for the simulations of gaps between groups: drawn, run and kept in one way.

Patients have 1 to 4 images. Half the variance of what is random about an image is the patient's, half the image's own.
Groups are of patients (sex, race) or of images (AP and PA), where a patient's images stand in both the group and the
rest. The `LABELS` labels of a data set are independent.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, TypeVar

import numpy as np
from measured import keep

from cxr_core.arrays import BoolArray, FloatArray, IntArray

LABELS = 6
#: Fewest patients of each class for which an interval is given.
MINIMUM = 30
#: What must hold of every cell: of the coverage of an interval, and of the matrices with a false alarm.
COVERAGE, FAMILY = (0.93, 0.97), (0.04, 0.06)


@dataclass(frozen=True)
class Groups:
    """Part of a kind of data set: its patients, the shares of its groups, and whether each image has one of its own."""

    patients: int
    groups: tuple[float, ...]
    by_image: bool

    @property
    def name(self) -> str:
        """Return what the cell is called in the results."""
        of_what = "images" if self.by_image else "patients"
        return f"{self.patients} patients, {len(self.groups)} groups of {of_what}"

    @property
    def last(self) -> int:
        """The group that is served worse where any is."""
        return len(self.groups) - 1

    def draw(self, random: np.random.Generator) -> tuple[IntArray, IntArray]:
        """Return the patient and the group of each image."""
        patients = np.repeat(np.arange(self.patients), random.integers(1, 5, self.patients))
        drawn = random.choice(len(self.groups), patients.size if self.by_image else self.patients, p=self.groups)
        return patients, drawn if self.by_image else drawn[patients]

    def noise(self, patients: IntArray, random: np.random.Generator) -> FloatArray:
        """Return a standard normal number of each image, half of whose variance is the patient's."""
        of_patients = random.normal(size=self.patients)[patients]
        return sqrt(0.5) * of_patients + sqrt(0.5) * random.normal(size=patients.size)

    def masks(self, groups: IntArray) -> dict[str, BoolArray]:
        """Return which images each group has."""
        return {str(group): groups == group for group in range(len(self.groups))}


C = TypeVar("C", bound=Groups)
#: Gives the coverage of a cell by figure, and the share of false alarms, from so many data sets.
Coverage = Callable[[C, np.random.Generator, int], dict[str, float]]
FalseAlarms = Callable[[C, np.random.Generator, int], float]


def share_with_alarm(p_corrected: Callable[[], Sequence[float | None]], datasets: int) -> float:
    """Return the share of data sets, each the corrected p of a whole matrix, in which any is below .05."""
    return sum(min(p for p in p_corrected() if p is not None) < 0.05 for _ in range(datasets)) / datasets


def measure(
    name: str, about: str | None, cells: Sequence[C], coverage: Coverage[C], false_alarms: FalseAlarms[C]
) -> None:
    """Run the command line of a simulation: print and keep what was found of each cell, and what lies outside."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--datasets", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    kept: dict[str, Any] = {}
    outside: list[str] = []
    for number, cell in enumerate(cells):
        random = np.random.default_rng([options.seed, number])
        found = coverage(cell, random, max(options.datasets // LABELS, 1))
        found["false alarms"] = false_alarms(cell, random, options.datasets)
        kept[cell.name] = found
        for figure, share in found.items():
            low, high = FAMILY if figure == "false alarms" else COVERAGE
            outside += [] if low <= share <= high else [f"{cell.name}, {figure}: {share:.4f}"]
        print(cell.name, {figure: round(share, 4) for figure, share in found.items()}, flush=True)
    print(f"outside: {outside or 'none'}")
    keep(name, {"datasets": options.datasets, "seed": options.seed, "cells": kept, "outside": outside})
