"""How near `learned`, `estimated` and `from-readings` come to what uncertain labels of the demo really are.

The true share is that of the uncertain frontal training images on which the finding is there; only the demo tells it.
`learned` is the u that its kept trainings ended with, on average over the seeds (`policies_against_truth`); `estimated`
and `from-readings` are the policies of the command line, the second by the demo's readers on valid. `50 readings` are
made up: 50 of the uncertain training images of each label, or all where they are fewer, read by somebody who sees the
truth, 1,000 times. No training is needed.

    python benchmarks/policy_shares.py [FOLDER] [--keep]
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from measured import RESULTS, keep
from policies_against_truth import present_among_uncertain
from training_grid import FROM_READINGS, SPELLED

from cxr_core.schema import LABELS, Value, View
from cxr_core.tasks.policy_choice import policy_choice

READINGS, DRAWS, SEED = 50, 1000, 2026
VIEW = "frontal"


def read_by_somebody(home: Path, truth: pd.DataFrame, true: dict[str, float]) -> dict[str, Any]:
    """Return the mean absolute error over the labels of the shares that `READINGS` readings give, over the draws."""
    labels = pd.read_parquet(home / "sources/demo/labels_train.parquet")
    joined = labels[labels["view"] == View[VIEW]].merge(truth, on="path", suffixes=("", "_true"))
    rng, errors = np.random.default_rng(SEED), np.zeros((DRAWS, len(true)))
    for place, (label, share) in enumerate(true.items()):
        present = joined.loc[joined[label] == Value.uncertain, f"{label}_true"].to_numpy(float)
        read = [rng.permutation(present)[:READINGS].mean() for _ in range(DRAWS)]
        errors[:, place] = np.abs(np.array(read) - share)
    of_draws = errors.mean(axis=1)
    ends = [float(np.quantile(of_draws, q)) for q in (0.025, 0.975)]
    return {"mean_absolute_error": float(of_draws.mean()), "of_95_percent": ends}


def measured(home: Path) -> dict[str, Any]:
    """Return the shares of each way beside the true ones, with the mean absolute error over the labels."""
    truth = pd.read_parquet(home / "sources/demo/truth.parquet")
    shares = present_among_uncertain(home, truth)
    true = {label: share for label, share in shares.items() if share is not None}
    learned = json.loads((RESULTS / "policies_against_truth.json").read_text())["learned"]["u"]
    ways = {"learned": {label: learned[label]["mean"] for label in LABELS}}
    for name in ("estimated", FROM_READINGS):
        ways[name] = dict(zip(LABELS, policy_choice("demo", SPELLED.get(name, name)).u, strict=True))
    told = {
        name: {"u": u, "mean_absolute_error": float(np.mean([abs(u[label] - true[label]) for label in true]))}
        for name, u in ways.items()
    }
    told[f"{READINGS} readings of each label"] = read_by_somebody(home, truth, true)
    told["one half for all"] = {"mean_absolute_error": float(np.mean([abs(0.5 - share) for share in true.values()]))}
    return {"n_labels": len(true), "true": true, "ways": told}


def main() -> None:
    """Measure, print, and keep where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", default="workspace/shares")
    parser.add_argument("--keep", action="store_true", help="write the figures into benchmarks/results")
    given = parser.parse_args()
    home = Path(given.folder).absolute()
    os.environ["CXR_HOME"] = str(home)
    subprocess.run([sys.executable, "-m", "cxr_core", "demo"], check=True, stdout=subprocess.DEVNULL)
    result = measured(home)
    for name, one in result["ways"].items():
        print(f"{name}: mean absolute error {one['mean_absolute_error']:.3f} over {result['n_labels']} labels")
    if given.keep:
        print(f"kept in {keep('policy_shares', result)}")


if __name__ == "__main__":
    main()
