"""Do the shares of "What they mean" hold what their intervals promise, read alone and with a model's help?

Patients have 1 to 5 uncertain images; whether a finding is there is half the patient's and half the image's (a normal
variable with intraclass correlation .5, cut at the share). Some patients' images are read. The good model sees the
truth through noise, the bad one sees noise alone, the biased one is a good one whose probabilities are far too high.
The page shows the plain interval, and the helped one where it is narrower: choosing by width costs a little coverage
where few were read, which `shown` measures.

    python benchmarks/meaning_coverage.py [--datasets 4000] [--seed 2026]
"""

import argparse
from itertools import product
from math import sqrt
from statistics import NormalDist

import numpy as np
from measured import keep

from cxr_core.evaluation.shares import helped_share, present_share

READ = (20, 50, 200)
SHARES = (0.1, 0.3, 0.52)
MODELS = ("good", "bad", "biased")
ALL_IMAGES = 1500
#: What must hold of every cell.
LOWEST, HIGHEST = 0.93, 0.97


def drawn(random: np.random.Generator, share: float, model: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return truth, the model's probability and the patient of each image."""
    sizes = random.integers(1, 6, size=ALL_IMAGES)
    patients = np.repeat(np.arange(sizes.size), sizes)[:ALL_IMAGES]
    hidden = sqrt(0.5) * random.normal(size=sizes.size)[patients] + sqrt(0.5) * random.normal(size=ALL_IMAGES)
    truth = hidden > NormalDist().inv_cdf(1 - share)
    noise = random.normal(size=ALL_IMAGES)
    logit = {"good": 2.5 * hidden + noise, "bad": noise, "biased": 2.5 * hidden + noise + 3}[model]
    return truth, 1 / (1 + np.exp(-logit)), patients


def cell(random: np.random.Generator, share: float, read: int, model: str, datasets: int) -> dict[str, float]:
    """Return how often the intervals cover the share, and how wide they are on average; `shown` is the narrower one."""
    covered: dict[str, list[bool]] = {"plain": [], "helped": [], "shown": []}
    widths: dict[str, list[float]] = {name: [] for name in covered}
    for _ in range(datasets):
        truth, predicted, patients = drawn(random, share, model)
        order = np.argsort(random.random(patients.max() + 1)[patients], kind="stable")
        verdicts = np.full(truth.size, -1)
        verdicts[order[:read]] = truth[order[:read]]
        plain, helped = present_share(verdicts, patients).ci, helped_share(verdicts, predicted, patients)
        intervals = {"plain": plain, "shown": plain}
        if helped is not None:
            intervals["helped"] = helped.ci
            intervals["shown"] = min(plain, helped.ci, key=lambda ci: ci[1] - ci[0])
        for name, (low, high) in intervals.items():
            covered[name].append(low <= share <= high)
            widths[name].append(high - low)
    coverage = {name: float(np.mean(of_name)) for name, of_name in covered.items()}
    return coverage | {f"{name}_width": float(np.mean(of_name)) for name, of_name in widths.items()}


def _plain_ones(cells: dict[str, dict[str, float]]) -> dict[str, float]:
    """Return how often the plain interval covers by share and number read; it knows no model: three cells are one."""
    return {
        f"{share} / {read}: plain": float(np.mean([cells[f"{share} / {read} / {model}"]["plain"] for model in MODELS]))
        for share, read in product(SHARES, READ)
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    cells = {}
    for number, (share, read, model) in enumerate(product(SHARES, READ, MODELS)):
        random = np.random.default_rng([options.seed, number])
        found = cell(random, share, read, model, options.datasets)
        cells[f"{share} / {read} / {model}"] = found
        print(f"share {share}, {read} read, {model} model:", {name: round(value, 4) for name, value in found.items()})
    intervals = {f"{name}: helped": found["helped"] for name, found in cells.items()} | _plain_ones(cells)
    outside = [f"{name} {covers:.4f}" for name, covers in intervals.items() if not LOWEST <= covers <= HIGHEST]
    print(
        f"{len(intervals) - len(outside)} of {len(intervals)} intervals cover between {LOWEST} and {HIGHEST}", *outside
    )
    keep("meaning_coverage", {"datasets": options.datasets, "seed": options.seed, "cells": cells, "outside": outside})


if __name__ == "__main__":
    main()
