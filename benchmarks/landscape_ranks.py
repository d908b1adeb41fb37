"""Does the landscape on frozen features rank policies as whole trainings do? On the demo, against the truth.

The kept trainings of `policies_against_truth`, their AUC on *test* by label, averaged over the seeds, beside the AUC on
*valid* of heads on the features of a shipped model, at the nearest pair of the grid. Spearman's rank correlation over
the policies, for the mean of the labels (its interval resamples labels, and the seeds of each policy) and label by
label (its interval resamples labels). What trainings tell of themselves is the bound: the rank correlation between the
means of two halves of their seeds, over all ways to halve them.

    python benchmarks/landscape_ranks.py [FOLDER] [--keep]
"""

import argparse
import json
import os
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from measured import RESULTS, keep
from scipy.stats import spearmanr
from training_grid import FROM_READINGS, SPELLED

from cxr_core.schema import LABELS
from cxr_core.tasks.policies import PolicyLandscape, policy_landscape
from cxr_core.tasks.policy_choice import policy_choice
from cxr_core.training.head_grid import BESIDE, PAIRS
from cxr_core.uncertainty import MASK_BLANKS, Policy, named_policy

DRAWS, SEED = 2_000, 2026
#: A policy of fewer trainings is left out.
FEWEST_SEEDS = 3
#: Policies that heads have no tables for.
UNKNOWN_TO_HEADS = ("three-class", "self-trained")


def frozen(landscape: PolicyLandscape, policy: str, kept: dict[str, Any]) -> list[float]:
    """Return the AUC of each label at the pair of the grid that is nearest to a policy."""
    if policy in BESIDE:
        head = landscape.of_beside[BESIDE.index(policy)]
        return [float(landscape.labels[label].roc_auc[head]) for label in LABELS]
    found = []
    for label, u, w in zip(LABELS, *_numbers(policy, kept), strict=True):
        place = PAIRS.index((round(u, 1) if w >= 0.05 else 0.0, round(w, 1)))
        found.append(float(landscape.labels[label].roc_auc[landscape.of_pairs[place]]))
    return found


def _numbers(policy: str, kept: dict[str, Any]) -> tuple[list[float], list[float]]:
    """Return u and w of each label; of a range its middle."""
    if policy == "learned":
        u, w = ([kept["learned"][letter][label]["mean"] for label in LABELS] for letter in "uw")
        return u, w
    of_source = policy in (FROM_READINGS, "estimated")
    chosen: Policy = policy_choice("demo", SPELLED.get(policy, policy)) if of_source else named_policy(policy)
    return [(low + high) / 2 for low, high in zip(chosen.u, chosen.upper, strict=True)], list(chosen.w)


def ranked_alike(one: np.ndarray, other: np.ndarray) -> float:
    """Return Spearman's correlation of two rows of figures (policies,)."""
    return float(spearmanr(one, other).statistic)


def resampled(heads: np.ndarray, runs: np.ndarray) -> np.ndarray:
    """Return rank correlations of the mean of drawn labels, and of drawn seeds of each policy.

    Args:
        heads: (policies, labels) AUC of heads.
        runs: (policies, seeds, labels) AUC of trainings.
    """
    policies, seeds, labels = runs.shape
    rng, found = np.random.default_rng(SEED), []
    while len(found) < DRAWS:
        drawn = rng.integers(0, labels, labels)
        of_seeds = rng.integers(0, seeds, (policies, seeds))
        trained = np.take_along_axis(runs, of_seeds[..., None], axis=1).mean(axis=1)
        found.append(ranked_alike(heads[:, drawn].mean(axis=1), trained[:, drawn].mean(axis=1)))
    return np.array(found)


def _between(drawn: np.ndarray) -> list[float]:
    """Return what 95 % of the draws lie between."""
    return [float(np.quantile(drawn, q)) for q in (0.025, 0.975)]


def measured() -> dict[str, Any]:
    """Return the rank correlations, and what bounds them."""
    kept = json.loads((RESULTS / "policies_against_truth.json").read_text())
    landscape = policy_landscape("demo", judge="truth", confined=False)
    assert landscape is not None
    policies = [
        name
        for name, one in kept["policies"].items()
        if name not in UNKNOWN_TO_HEADS and len(one["runs"]) >= FEWEST_SEEDS
    ]
    heads = np.array([frozen(landscape, policy, kept) for policy in policies])
    seeds = min(len(kept["policies"][policy]["runs"]) for policy in policies)
    runs = np.array(
        [[[run[label] for label in LABELS] for run in kept["policies"][policy]["runs"][:seeds]] for policy in policies]
    )
    trained = runs.mean(axis=1)
    ranked = [place for place in range(len(LABELS)) if np.ptp(heads[:, place]) > 0]
    of_labels = np.array([ranked_alike(heads[:, place], trained[:, place]) for place in ranked])
    drawn = np.random.default_rng(SEED).choice(of_labels, (DRAWS, of_labels.size)).mean(axis=1)
    told = {
        "of_the_mean": ranked_alike(heads[:, ranked].mean(axis=1), trained[:, ranked].mean(axis=1)),
        "of_the_mean_ci": _between(resampled(heads[:, ranked], runs[..., ranked])),
        "of_a_label": float(of_labels.mean()),
        "of_a_label_ci": _between(drawn),
        "labels": {LABELS[place]: float(found) for place, found in zip(ranked, of_labels, strict=True)},
    }
    bound = {"of_the_mean": _halves(runs[..., ranked].mean(axis=2)), "of_a_label": _of_labels(runs[..., ranked])}
    without = [place for place, policy in enumerate(policies) if policy != MASK_BLANKS]
    beside = ranked_alike(heads[without][:, ranked].mean(axis=1), trained[without][:, ranked].mean(axis=1))
    return {
        "policies": policies,
        "seeds": seeds,
        "frozen_features": told,
        "of_the_mean_without_mask_blanks": beside,
        "halves_of_the_seeds": bound,
        "mean_auc": {
            policy: {"frozen": float(heads[place].mean()), "trained": float(trained[place].mean())}
            for place, policy in enumerate(policies)
        },
    }


def _halves(runs: np.ndarray) -> float:
    """Return the mean rank correlation of the means of two disjoint halves of the seeds; runs is (policies, seeds)."""
    seeds = runs.shape[1]
    found = []
    for first in combinations(range(seeds), seeds // 2):
        for second in combinations([seed for seed in range(seeds) if seed not in first], seeds // 2):
            found.append(ranked_alike(runs[:, list(first)].mean(axis=1), runs[:, list(second)].mean(axis=1)))
    return float(np.mean(found))


def _of_labels(runs: np.ndarray) -> float:
    return float(np.mean([_halves(runs[..., place]) for place in range(runs.shape[2])]))


def main() -> None:
    """Measure, print, and keep where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", default="workspace/heads")
    parser.add_argument("--keep", action="store_true", help="write the figures into benchmarks/results")
    given = parser.parse_args()
    os.environ["CXR_HOME"] = str(Path(given.folder).absolute())
    for command in (["demo"], ["policies", "--json"]):
        subprocess.run([sys.executable, "-m", "cxr_core", *command], check=True, stdout=subprocess.DEVNULL)
    result = measured()
    print(json.dumps(result, indent=1))
    if given.keep:
        print(f"kept in {keep('landscape_ranks', result)}")


if __name__ == "__main__":
    main()
