"""Four policies for uncertain labels, five seeds each, judged against what was really there.

Only the demo can be judged so: its truth is kept. The table goes into the README whatever it shows.

    python benchmarks/policies_against_truth.py [FOLDER]
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from measured import keep
from sklearn.metrics import roc_auc_score
from training_grid import EPOCHS, POLICIES, Cell, Trained, train_grid

from cxr_core.schema import LABELS, Dataset

SEEDS = range(5)
VIEW = "frontal"


def auc_against(truth: pd.DataFrame, trained: Trained, rows: pd.Series | None = None) -> dict[str, float]:
    """Return the AUC per label of a model's test predictions against a table of path and 0/1 labels."""
    predictions = pd.read_parquet(trained.predictions)
    predictions = predictions[predictions["dataset"] == Dataset.test]
    joined = predictions.merge(truth, on="path", suffixes=("", "_true"), validate="one_to_one")
    return {label: float(roc_auc_score(joined[f"{label}_true"], joined[label])) for label in LABELS}


def summary(values: list[float]) -> dict[str, float]:
    """Return mean and standard deviation (n - 1) over the seeds."""
    return {"mean": float(np.mean(values)), "sd": float(np.std(values, ddof=1))}


def main() -> None:
    """Train what is missing, judge, keep and print the table."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "workspace/policies").absolute()
    cells = [Cell(VIEW, policy, seed) for seed in SEEDS for policy in POLICIES]
    trained = train_grid(cells, folder)
    truth = pd.read_parquet(trained[0].home / "sources/demo/truth.parquet")
    result, lines = {}, ["| policy | mean AUC against the truth | " + " | ".join(LABELS) + " |"]
    lines.append("|---" * (len(LABELS) + 2) + "|")
    for policy in POLICIES:
        runs = [auc_against(truth, one) for one in trained if one.cell.policy == policy]
        per_label = {label: summary([run[label] for run in runs]) for label in LABELS}
        mean = summary([float(np.mean(list(run.values()))) for run in runs])
        result[policy] = {"mean": mean, "labels": per_label, "runs": runs}
        cells_text = [f"{one['mean']:.3f} ± {one['sd']:.3f}" for one in (mean, *per_label.values())]
        lines.append(f"| {policy} | " + " | ".join(cells_text) + " |")
    settings = {"view": VIEW, "dataset": "test", "seeds": list(SEEDS), "epochs": EPOCHS}
    seconds = {one.cell.name: round(one.seconds) for one in trained}
    path = keep("policies_against_truth", {"settings": settings, "policies": result, "training_seconds": seconds})
    print("\n".join(lines), f"\nkept in {path}")


if __name__ == "__main__":
    main()
