"""How often are equally good models told apart? The promise of the grid's marks and of the paired tests, measured.

Each data set has 14 labels of different prevalence (4 to 40 %) and AUC (.72 to .93) on 1 to 6 images of each patient,
findings and scores alike within a patient. The models are equally good by construction: their scores share most of what
they see, something of what each sees recurs on all its labels, the rest is its own. So every mark "behind" is false.

- `grids`: the share of grids with at least one false mark, and the marks a grid, as `evaluate_grid` sets them. They
  hold over the whole grid: 4 to 6 % is promised. Beside it, what Holm's correction label by label would do.
- `comparisons`: the share of comparisons of two models that call at least one label different, as `compare_labels`
  does by Holm over the labels: at most 6 % is promised.
- `single`: the share of single labels of two models with p <= .05, not corrected.

A finished cell is kept in the folder, so that a run that was stopped goes on where it was. Figures for the README are
those of the default seed.
"""

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from math import sqrt
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from measured import keep

from cxr_core.evaluation.comparison import compare_labels
from cxr_core.evaluation.grid import BEHIND, BEST, evaluate_grid
from cxr_core.evaluation.results import LEVEL
from cxr_core.evaluation.simultaneous import holm
from cxr_core.setting_rows import SETTINGS

SEED = 2026
MINIMUM = int({setting.name: setting.default for setting in SETTINGS}["minimum_positives"])
#: The marks do not depend on the resamples, which are for the intervals of single figures.
RESAMPLES = 2
PREVALENCES = (0.4, 0.06, 0.25, 0.3, 0.04, 0.2, 0.06, 0.1, 0.25, 0.05, 0.3, 0.04, 0.05, 0.4)
AUCS = (0.85, 0.75, 0.82, 0.78, 0.75, 0.9, 0.85, 0.75, 0.82, 0.9, 0.93, 0.8, 0.72, 0.93)
LABELS = tuple(f"label_{number}" for number in range(len(AUCS)))
ICC = 0.5
#: Shares of the scores' variance: common to the models, of a model on all its labels, of a model on one label.
COMMON, OF_MODEL, OWN = 0.6, 0.2, 0.2
CHUNK = 50


@dataclass(frozen=True)
class Cell:
    """What a kind of grid is like."""

    patients: int
    models: int
    figure: str

    @property
    def name(self) -> str:
        return f"{self.patients}-patients-{self.models}-models-{self.figure}"


CELLS = [
    Cell(300, 4, "roc_auc"),
    Cell(1000, 4, "roc_auc"),
    Cell(1000, 4, "average_precision"),
    Cell(1000, 8, "roc_auc"),
]


def equal_models(cell: Cell, generator: np.random.Generator) -> tuple[dict[str, Any], dict[str, Any], np.ndarray]:
    """Return label codes by label, scores by model and label, and each row's patient (n,) of one data set."""
    patient = np.repeat(np.arange(cell.patients), generator.integers(1, 7, size=cell.patients))
    names = [f"model_{number}" for number in range(cell.models)]
    of_model = {name: clustered_normal(generator, patient, cell.patients) for name in names}
    values: dict[str, Any] = {}
    models: dict[str, dict[str, Any]] = {name: {} for name in names}
    for label, prevalence, auc in zip(LABELS, PREVALENCES, AUCS, strict=True):
        y = clustered_normal(generator, patient, cell.patients) > NormalDist().inv_cdf(1 - prevalence)
        values[label] = np.where(y, 3, 0)
        seen = sqrt(COMMON) * clustered_normal(generator, patient, cell.patients)
        seen += sqrt(2) * NormalDist().inv_cdf(auc) * y
        for name in names:
            own = sqrt(OWN) * clustered_normal(generator, patient, cell.patients)
            models[name][label] = seen + sqrt(OF_MODEL) * of_model[name] + own
    return values, models, patient


def judged(cell: Cell, generator: np.random.Generator) -> dict[str, float]:
    """Say of one data set what the grid and the comparison of its first two models find."""
    values, models, patient = equal_models(cell, generator)
    grid = evaluate_grid(values, models, patient, RESAMPLES, MINIMUM, cell.figure)
    rows = [list(row.values()) for row in grid.cells.values()]
    tested = [[one.p for one in row if one.p is not None] for row in rows]
    marks = sum(one.mark == BEHIND for row in rows for one in row)
    first, second = list(models.values())[:2]
    pair = compare_labels(values, first, second, patient, MINIMUM).labels.values()
    single = [one.p for one in pair if one.p is not None]
    return {
        "grid": marks > 0,
        "marks": marks,
        "row_by_row": any(min(holm(row), default=1) < LEVEL for row in tested),
        "labels": sum(any(one.mark == BEST for one in row) for row in rows) - 1,
        "comparison": any(one.state == "different" for one in pair),
        "single": float(np.mean([p <= LEVEL for p in single])),
    }


def clustered_normal(generator: np.random.Generator, patient: np.ndarray, patients: int) -> np.ndarray:
    """Return a standard normal value (n,) of each row, alike within a patient."""
    between, within = generator.normal(size=patients), generator.normal(size=patient.size)
    return sqrt(ICC) * between[patient] + sqrt(1 - ICC) * within


def chunk(cell: Cell, seed: int, start: int, stop: int) -> list[dict[str, float]]:
    """Judge data sets `start` to `stop` of a cell; each has a seed of its own, so that the split does not matter."""
    place = CELLS.index(cell)
    return [judged(cell, np.random.default_rng([seed, place, number])) for number in range(start, stop)]


def summary(cell: Cell, found: list[dict[str, float]]) -> dict[str, Any]:
    """Return a cell's shares over its data sets."""
    mean = {key: float(np.mean([one[key] for one in found])) for key in found[0]}
    return {
        **asdict(cell),
        "datasets": len(found),
        "labels_tested": mean["labels"],
        "grids_with_a_false_mark": mean["grid"],
        "false_marks_a_grid": mean["marks"],
        "grids_with_a_false_mark_by_holm_row_by_row": mean["row_by_row"],
        "comparisons_with_a_false_difference": mean["comparison"],
        "single_labels_with_p_below_5_percent": mean["single"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path("workspace/false_marks"))
    chosen = parser.parse_args()
    setting = {"seed": chosen.seed, "datasets": chosen.datasets, "minimum": MINIMUM}
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
                kept.write_text(json.dumps({"setting": setting, "cell": summary(cell, found)}))
            cells.append(json.loads(kept.read_text())["cell"])
            print(json.dumps(cells[-1]), flush=True)
    if chosen.seed == SEED:
        print(f"kept in {keep('false_marks', {'settings': setting, 'cells': cells})}")


if __name__ == "__main__":
    main()
