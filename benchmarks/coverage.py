"""Do the intervals hold what they promise? Coverage and false alarms on clustered data whose figures are known.

Each data set has patients with 1 to 6 images, or with as many as a cell says. Truth and scores both come from a normal
variable that is half the patient's and half the image's (intraclass correlation .5), the truth cut at its prevalence,
the score of a positive moved up so that the AUC, the average precision and the shares at a threshold are known. A
second model, correlated with the first, has the same AUC, so that any difference found is a false alarm. The intervals
and the test are the product's own, resamples included.

    python benchmarks/coverage.py [--datasets 5000] [--seed 2026] [--processes 2] [--folder workspace/coverage]

An interval and a p are refused below the stated minimum of patients of a class (the setting `minimum_positives`).

Finished cells are kept in the folder, so that a run that was stopped goes on where it was. Figures for
docs/measurements.md are those of the default seed, which was set before the first run; a pilot takes another one.
"""

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import product
from math import nan, sqrt
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from measured import keep

from cxr_core.evaluation.comparison import compare_labels
from cxr_core.evaluation.defined import class_patients
from cxr_core.evaluation.labels import evaluate_labels
from cxr_core.evaluation.operating import SHARES, operating_point
from cxr_core.setting_rows import SETTINGS

SEED = 2026
DEFAULTS = {setting.name: setting.default for setting in SETTINGS}
RESAMPLES, MINIMUM = int(DEFAULTS["resamples"]), int(DEFAULTS["minimum_positives"])
ICC = 0.5
#: Correlation of the two models' scores, of the patient's half and of the image's.
BETWEEN_MODELS = 0.6
#: Data sets that one process does in one go.
CHUNK = 250


@dataclass(frozen=True)
class Cell:
    """What a kind of data set is like; `images` a patient, None for 1 to 6 at random.

    With a `sensitivity` the shares at the threshold that has it are judged, else the areas.
    """

    patients: int
    prevalence: float
    auc: float
    images: int | None = None
    sensitivity: float | None = None

    @property
    def name(self) -> str:
        point = f"-{self.images}-images-sensitivity-{self.sensitivity:g}" if self.sensitivity else ""
        return f"{self.patients}-patients-prevalence-{self.prevalence:g}-auc-{self.auc:g}{point}"

    @property
    def shift(self) -> float:
        """How far positives score above negatives, in standard deviations of either."""
        return sqrt(2) * NormalDist().inv_cdf(self.auc)

    @property
    def average_precision(self) -> float:
        """The average precision of endless data: the mean of the precision at the positives' scores."""
        normal = NormalDist()
        positives = [normal.inv_cdf((place + 0.5) / 20_000) for place in range(20_000)]
        true = np.array([self.prevalence * (1 - normal.cdf(z)) for z in positives])
        false = np.array([(1 - self.prevalence) * (1 - normal.cdf(z + self.shift)) for z in positives])
        return float(np.mean(true / (true + false)))

    @property
    def threshold(self) -> float:
        """Where the sensitivity of endless data is the one that is stated."""
        return self.shift - NormalDist().inv_cdf(self.sensitivity or 0.5)

    @property
    def shares(self) -> dict[str, float]:
        """The shares at the threshold, of endless data."""
        sensitivity, specificity = self.sensitivity or 0.5, NormalDist().cdf(self.threshold)
        tp, fn = self.prevalence * sensitivity, self.prevalence * (1 - sensitivity)
        tn, fp = (1 - self.prevalence) * specificity, (1 - self.prevalence) * (1 - specificity)
        predictive = (tp / (tp + fp), tn / (tn + fn), 2 * tp / (2 * tp + fp + fn))
        return dict(zip(SHARES, (sensitivity, specificity, *predictive, tp + fp, fp), strict=True))


AREAS = [Cell(*choice) for choice in product((300, 1000), (0.02, 0.1, 0.4), (0.7, 0.9, 0.95, 0.98))]
POINTS = [
    Cell(300, prevalence, 0.9, images, sensitivity)
    for prevalence, images, sensitivity in product((0.1, 0.3), (1, 3, 6), (0.5, 0.8, 0.95))
]
CELLS = AREAS + POINTS


def clustered(cell: Cell, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return truth (n,), the scores of two models (2, n) and each row's patient (n,) of one data set."""
    images = generator.integers(1, 7, size=cell.patients) if cell.images is None else cell.images
    patient = np.repeat(np.arange(cell.patients), images)
    latent = _clustered_normal(generator, patient, cell.patients)
    y = (latent > NormalDist().inv_cdf(1 - cell.prevalence)).astype(np.int64)
    shared, *own = (_clustered_normal(generator, patient, cell.patients) for _ in range(3))
    scores = sqrt(BETWEEN_MODELS) * shared + sqrt(1 - BETWEEN_MODELS) * np.array(own)
    return y, scores + cell.shift * y, patient


def judged(cell: Cell, generator: np.random.Generator) -> dict[str, Any] | None:
    """Say of one data set whether each interval covers and the test rejects, or None where they are refused."""
    y, scores, patient = clustered(cell, generator)
    counted = class_patients(y, patient)
    if counted.why_no_interval(MINIMUM):
        return None
    found = {"positives": int(y.sum()), "positive_patients": counted.positive}
    return found | (_areas(cell, y, scores, patient) if cell.sensitivity is None else _shares(cell, y, scores, patient))


def _areas(cell: Cell, y: np.ndarray, scores: np.ndarray, patient: np.ndarray) -> dict[str, Any]:
    a = evaluate_labels({"": 3 * y}, {"": scores[0]}, patient, RESAMPLES, MINIMUM)
    found: dict[str, Any] = {}
    for figure, true in (("roc_auc", cell.auc), ("average_precision", _true_average_precision(cell))):
        found |= _covers(figure, true, getattr(a.labels[""], f"{figure}_ci"))
    p = compare_labels({"": 3 * y}, {"": scores[0]}, {"": scores[1]}, patient, MINIMUM).labels[""].p
    return found | {"rejected": p is not None and p <= 0.05}


def _shares(cell: Cell, y: np.ndarray, scores: np.ndarray, patient: np.ndarray) -> dict[str, Any]:
    point = operating_point(y, scores[0], cell.threshold, patient, MINIMUM)
    found: dict[str, Any] = {}
    for name, true in cell.shares.items():
        found |= _covers(name, true, getattr(point, name).ci)
    return found


def _covers(figure: str, true: float, ci: tuple[float, float] | None) -> dict[str, float]:
    """Say whether the true figure lies below or above the interval; NaN without one."""
    if ci is None:
        return {f"{figure}_below": nan, f"{figure}_above": nan, f"{figure}_width": nan}
    low, high = ci
    return {f"{figure}_below": true < low, f"{figure}_above": true > high, f"{figure}_width": high - low}


@lru_cache
def _true_average_precision(cell: Cell) -> float:
    return cell.average_precision


def chunk(cell: Cell, seed: int, start: int, stop: int) -> list[dict[str, Any] | None]:
    """Judge data sets `start` to `stop` of a cell; each has a seed of its own, so that the split does not matter."""
    place = CELLS.index(cell)
    return [judged(cell, np.random.default_rng([seed, place, number])) for number in range(start, stop)]


def summary(cell: Cell, found: list[dict[str, Any] | None]) -> dict[str, Any]:
    """Return a cell's shares; where less than half of its data sets get an interval, the cell counts as refused."""
    answered = [one for one in found if one is not None]
    result = {**asdict(cell), "datasets": len(found), "answered": len(answered)}
    if 2 * len(answered) < len(found):
        return {**result, "refused": f"most data sets have fewer than {MINIMUM} patients with a positive image"}
    mean = {f"mean_{key}": float(np.nanmean([float(one[key]) for one in answered])) for key in answered[0]}
    figures = [key[len("mean_") : -len("_below")] for key in mean if key.endswith("_below")]
    covered = {
        f"{figure}_covered": 1 - mean[f"mean_{figure}_below"] - mean[f"mean_{figure}_above"] for figure in figures
    }
    return {**result, **covered, **mean}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path("workspace/coverage"))
    chosen = parser.parse_args()
    setting = {"seed": chosen.seed, "datasets": chosen.datasets, "resamples": RESAMPLES, "minimum": MINIMUM}
    cells = []
    with ProcessPoolExecutor(chosen.processes) as pool:
        for cell in CELLS:
            kept = chosen.folder / f"{cell.name}.json"
            if not (kept.exists() and json.loads(kept.read_text())["setting"] == setting):
                starts = range(0, chosen.datasets, CHUNK)
                parts = [
                    pool.submit(chunk, cell, chosen.seed, start, min(start + CHUNK, chosen.datasets))
                    for start in starts
                ]
                found = [one for part in parts for one in part.result()]
                kept.parent.mkdir(parents=True, exist_ok=True)
                kept.write_text(json.dumps({"setting": setting, "cell": summary(cell, found), "each": found}))
            cells.append(json.loads(kept.read_text())["cell"])
            print(json.dumps(cells[-1]), flush=True)
    if chosen.seed == SEED:
        print(f"kept in {keep('coverage', {'settings': setting, 'cells': cells})}")


def _clustered_normal(generator: np.random.Generator, patient: np.ndarray, patients: int) -> np.ndarray:
    between, within = generator.normal(size=patients), generator.normal(size=patient.size)
    return sqrt(ICC) * between[patient] + sqrt(1 - ICC) * within


if __name__ == "__main__":
    main()
