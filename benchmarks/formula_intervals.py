"""From which size on are intervals by formula as good as those of resampled patients?

Data sets as in `coverage.py`: patients with a fixed number of images, truth and scores half the patient's and half the
image's. On each, the interval of AUC and of average precision by formula; on the first of them also by the bootstrap.
Coverage must be 93 to 97 % and the mean width within 3 % of the bootstrap's.

    python benchmarks/formula_intervals.py [--datasets 1000] [--seed 14] [--processes 1]

A cell's `rarer` is the expected number of patients with a positive (or, where they are rarer, a negative) image.
"""

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import product
from statistics import NormalDist
from typing import Any

import numpy as np
from coverage import ICC, Cell, clustered
from measured import keep

from cxr_core.evaluation.defined import class_patients
from cxr_core.evaluation.labels import evaluate_labels
from cxr_core.setting_rows import SETTINGS

SEED = 14
MINIMUM = int({setting.name: setting.default for setting in SETTINGS}["minimum_positives"])
#: Resamples of a data set, and how many data sets of a cell are resampled: at most so many, or so many patients in all.
RESAMPLES, MOST_RESAMPLED, MOST_PATIENTS = 1000, 60, 120_000

#: Rows of all data sets of a cell; at least 300 data sets are made.
MOST_ROWS = 4_000_000


@dataclass(frozen=True)
class Size:
    """What a kind of data set is like: its prevalence, AUC, images a patient, and patients of the rarer class."""

    prevalence: float
    auc: float
    images: int
    rarer: int

    @property
    def cell(self) -> Cell:
        """The data sets, with as many patients as give the rarer class its number."""
        latent = np.random.default_rng(0).normal(size=100_000)
        at = NormalDist().inv_cdf(1 - self.prevalence)
        alone = np.array([NormalDist().cdf((at - ICC**0.5 * one) / (1 - ICC) ** 0.5) for one in latent[:20_000]])
        share = min(1 - np.mean(alone**self.images), 1 - np.mean((1 - alone) ** self.images))
        return Cell(max(1, round(self.rarer / share)), self.prevalence, self.auc, self.images)


SIZES = [Size(*choice) for choice in product((0.01, 0.05, 0.2), (0.6, 0.9, 0.98), (1, 3, 30), (40, 100, 200, 400))]


def judged(size: Size, seed: int, datasets: int) -> dict[str, Any]:
    """Return how often each figure's interval covers in one cell, and how wide it is beside the bootstrap's."""
    cell = size.cell
    true = {"roc_auc": cell.auc, "average_precision": cell.average_precision}
    covers: dict[str, list[bool]] = {figure: [] for figure in true}
    widths: dict[str, list[tuple[float, float]]] = {figure: [] for figure in true}
    refused, resampled = 0, min(MOST_RESAMPLED, max(4, MOST_PATIENTS // cell.patients))
    datasets = min(datasets, max(300, MOST_ROWS // (cell.patients * size.images)))
    for number in range(datasets):
        y, (scores, _), patient = clustered(cell, np.random.default_rng([seed, SIZES.index(size), number]))
        if class_patients(y, patient).why_no_interval(MINIMUM):
            refused += 1
            continue
        rows = {"": 3 * y}, {"": scores}, patient, RESAMPLES, MINIMUM
        ours = evaluate_labels(*rows, method="formula").labels[""]
        theirs = evaluate_labels(*rows, method="bootstrap").labels[""] if number < resampled else None
        for figure, value in true.items():
            low, high = getattr(ours, f"{figure}_ci") or (0.0, 1.0)
            covers[figure].append(low <= value <= high)
            other = getattr(theirs, f"{figure}_ci") if theirs else None
            if other:
                widths[figure].append((high - low, other[1] - other[0]))
    found: dict[str, Any] = asdict(size) | {"patients": cell.patients, "datasets": datasets, "refused": refused}
    for figure in true:
        mean = np.mean(widths[figure], axis=0)
        found |= {f"{figure}_covered": float(np.mean(covers[figure])), f"{figure}_width": float(mean[0] / mean[1])}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--processes", type=int, default=1)
    chosen = parser.parse_args()
    with ProcessPoolExecutor(chosen.processes) as pool:
        waiting = [pool.submit(judged, size, chosen.seed, chosen.datasets) for size in SIZES]
        cells = []
        for one in waiting:
            cells.append(one.result())
            print(json.dumps(cells[-1]), flush=True)
    worst = {
        name: [min(cell[name] for cell in cells), max(cell[name] for cell in cells)]
        for name in cells[0]
        if name.endswith(("_covered", "_width"))
    }
    print(json.dumps(worst))
    if chosen.seed == SEED:
        settings = {"seed": chosen.seed, "datasets": chosen.datasets, "resamples": RESAMPLES}
        print(f"kept in {keep('formula_intervals', {'settings': settings, 'range': worst, 'cells': cells})}")


if __name__ == "__main__":
    main()
