"""Do the intervals hold what they promise? Coverage and false alarms on clustered data whose AUC is known.

Each data set has patients with 1 to 6 images. Truth and scores both come from a normal variable that is half the
patient's and half the image's (intraclass correlation .5), the truth cut at its prevalence, the score of a positive
moved up so that the AUC is known. A second model, correlated with the first, has the same AUC, so that any difference
found is a false alarm. The intervals and the test are the product's own, resamples included.

    python benchmarks/coverage.py [--datasets 5000] [--seed 2026] [--processes 2] [--folder workspace/coverage]

An interval and a p are refused below the stated minimum of patients with a positive image (the setting
`minimum_positives`), which was set from pilots of 4,000 data sets with other seeds: with AUC .9, which is the harder
case, the interval covers 91.6 % with 20 to 24 such patients, 92.6 % with 25 to 29, 93.3 % with 30 to 34, 93.2 % with
35 to 39 and 92.8 % with 40 to 49 (3,300 to 3,700 data sets each, standard error .4 %); with AUC .7 about 95 %.

Finished cells are kept in the folder, so that a run that was stopped goes on where it was. Figures for
docs/measurements.md are those of the default seed, which was set before the first run; a pilot takes another one.
"""

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import product
from math import sqrt
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from measured import keep

from cxr_core.evaluation.intervals import bootstrap_p, class_patients, percentile_interval
from cxr_core.evaluation.resamples import patient_weights
from cxr_core.evaluation.weighted import rank_rows, weighted_figures
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
    """What a kind of data set is like."""

    patients: int
    prevalence: float
    auc: float

    @property
    def name(self) -> str:
        return f"{self.patients}-patients-prevalence-{self.prevalence:g}-auc-{self.auc:g}"


CELLS = [Cell(*choice) for choice in product((300, 1000), (0.02, 0.1, 0.4), (0.7, 0.9))]


def clustered(cell: Cell, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return truth (n,), the scores of two models (2, n) and each row's patient (n,) of one data set."""
    patient = np.repeat(np.arange(cell.patients), generator.integers(1, 7, size=cell.patients))
    latent = _clustered_normal(generator, patient, cell.patients)
    y = (latent > NormalDist().inv_cdf(1 - cell.prevalence)).astype(np.int64)
    shared, *own = (_clustered_normal(generator, patient, cell.patients) for _ in range(3))
    scores = sqrt(BETWEEN_MODELS) * shared + sqrt(1 - BETWEEN_MODELS) * np.array(own)
    return y, scores + sqrt(2) * NormalDist().inv_cdf(cell.auc) * y, patient


def judged(cell: Cell, generator: np.random.Generator) -> dict[str, Any] | None:
    """Say of one data set whether the interval covers and the test rejects, or None where both are refused."""
    y, scores, patient = clustered(cell, generator)
    counted = class_patients(y, patient)
    if counted.why_no_interval(MINIMUM):
        return None
    ((_, weights),) = patient_weights(cell.patients, RESAMPLES)
    a, b = (weighted_figures(rank_rows(y, of_model, patient, cell.patients), weights)[0] for of_model in scores)
    interval = percentile_interval(a, counted.rarer)
    if interval.ci is None:
        return None
    differences = (a - b)[~np.isnan(a - b)]
    low, high = interval.ci
    return {
        "low": cell.auc < low,
        "high": cell.auc > high,
        "width": high - low,
        "rejected": bootstrap_p(differences, counted.rarer) <= 0.05,
        "positives": int(y.sum()),
        "positive_patients": counted.positive,
    }


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
    mean = {key: float(np.mean([one[key] for one in answered])) for key in answered[0]}
    return {
        **result,
        "covered": 1 - mean["low"] - mean["high"],
        "true_auc_below": mean["low"],
        "true_auc_above": mean["high"],
        "rejected": mean["rejected"],
        "mean_width": mean["width"],
        "mean_positives": mean["positives"],
        "mean_positive_patients": mean["positive_patients"],
    }


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
