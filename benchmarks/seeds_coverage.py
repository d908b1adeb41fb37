"""Does the interval over seeds and patients cover? Differences between trainings, simulated with all that moves them.

A label of given prevalence on 1 to 5 images of each patient, findings and scores alike within a patient. A training's
score of an image is its skill times the finding, plus what all trainings see in the image, what each way of training
sees, and what a seed alone sees; the seed also moves the skill. So seeds, patients and both together move an AUC. The
truth is the difference over all seeds and patients, by numerical integration. 93 to 97 % is promised.

    python benchmarks/seeds_coverage.py [--draws 4000] [--keep]
"""

import argparse
import sys
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

import numpy as np
from measured import keep
from scipy.special import ndtr, ndtri

from cxr_core.arrays import FloatArray
from cxr_core.evaluation.defined import class_patients
from cxr_core.evaluation.influence import auc_of_rows
from cxr_core.evaluation.landscape import auc_of_all
from cxr_core.evaluation.patient_sums import sum_by_patient
from cxr_core.evaluation.ranking import ranking
from cxr_core.evaluation.seeds import Seeds, seed_difference

SEED = 2026
#: Shares of the scores' variance: common to all, of a way of training, of a seed; how alike a patient's images are.
COMMON, OF_WAY, OF_SEED, ICC = 0.7, 0.1, 0.2, 0.5
PROMISED = (0.93, 0.97)


@dataclass(frozen=True)
class Cell:
    """What is simulated: patients, prevalence, seeds of A and of B, and the deviation of the skill between seeds."""

    patients: int
    prevalence: float
    seeds: tuple[int, int]
    skill_sd: float


CELLS = [
    Cell(patients, prevalence, seeds, skill_sd)
    for patients, prevalence in ((150, 0.3), (500, 0.1))
    for seeds in ((3, 3), (5, 5), (5, 1), (2, 6))
    for skill_sd in (0.02, 0.08)
]
#: Skills of A and B: AUCs of about .83 and .80.
SKILLS = (1.35, 1.19)


def true_difference(cell: Cell) -> float:
    """Return the difference of the mean AUCs over all seeds and patients; scores within a class have variance 1."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    means = [float(weights @ ndtr((skill + cell.skill_sd * nodes) / sqrt(2)) / weights.sum()) for skill in SKILLS]
    return means[0] - means[1]


def drawn(cell: Cell, rng: np.random.Generator) -> tuple[Seeds, Seeds, int]:
    """Return the trainings of A and B on the same patients, and the patients of the rarer class."""
    clusters = np.repeat(np.arange(cell.patients), rng.integers(1, 6, cell.patients))
    y = (_alike(rng, clusters, ICC) < ndtri(cell.prevalence)).astype(np.int64)
    common = sqrt(COMMON) * _alike(rng, clusters, ICC)
    sides = [_side(cell, rng, clusters, y, common, skill, n) for skill, n in zip(SKILLS, cell.seeds, strict=True)]
    return sides[0], sides[1], class_patients(y, clusters).rarer


def _side(
    cell: Cell, rng: np.random.Generator, clusters: Any, y: Any, common: FloatArray, skill: float, seeds: int
) -> Seeds:
    way = sqrt(OF_WAY) * _alike(rng, clusters, ICC)
    skills = skill + cell.skill_sd * rng.standard_normal(seeds)
    own = [sqrt(OF_SEED) * _alike(rng, clusters, ICC) for _ in range(seeds)]
    scores = np.stack([one * y + common + way + alone for one, alone in zip(skills, own, strict=True)])
    influences = [sum_by_patient(auc_of_rows(ranking(y, one)), clusters, cell.patients) for one in scores]
    return Seeds(auc_of_all(y, scores), np.stack(influences, axis=1))


def _alike(rng: np.random.Generator, clusters: Any, icc: float) -> FloatArray:
    """Return standard normal numbers (rows,) that correlate by `icc` within a patient."""
    of_patient = rng.standard_normal(int(clusters[-1]) + 1)[clusters]
    found: FloatArray = sqrt(icc) * of_patient + sqrt(1 - icc) * rng.standard_normal(clusters.size)
    return found


def measured(cell: Cell, draws: int) -> dict[str, Any]:
    """Return how often the interval holds the truth, beside that of one that knows patients alone."""
    rng, truth = np.random.default_rng(SEED), true_difference(cell)
    held = patients_alone = 0
    widths = []
    for _ in range(draws):
        a, b, rarer = drawn(cell, rng)
        found = seed_difference(a, b, rarer - 1)
        assert found.ci is not None
        held += found.ci[0] <= truth <= found.ci[1]
        widths.append(found.ci[1] - found.ci[0])
        one = seed_difference(Seeds(a.values[:1], a.influences[:, :1]), Seeds(b.values[:1], b.influences[:, :1]), rarer)
        assert one.error_patients is not None
        patients_alone += abs(one.value - truth) <= 1.96 * one.error_patients
    covered = held / draws
    return asdict(cell) | {
        "coverage": covered,
        "standard_error": round(sqrt(covered * (1 - covered) / draws), 4),
        "width": round(float(np.mean(widths)), 4),
        "coverage_by_patients_alone_of_one_seed": patients_alone / draws,
        "holds": PROMISED[0] <= covered <= PROMISED[1],
    }


def main() -> None:
    """Simulate each cell, print, and keep where asked; exit status 1 where one is outside what is promised."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--draws", type=int, default=4000)
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    found = []
    for cell in CELLS:
        found.append(measured(cell, given.draws))
        print(found[-1], flush=True)
    if given.keep:
        print(f"kept in {keep('seeds_coverage', {'draws': given.draws, 'seed': SEED, 'cells': found})}")
    sys.exit(0 if all(one["holds"] for one in found) else 1)


if __name__ == "__main__":
    main()
