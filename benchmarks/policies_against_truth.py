"""Four policies for uncertain labels, five seeds each, judged against what was really there.

Only the demo can be judged so: its truth is kept. The table goes into the README whatever it shows.

    python benchmarks/policies_against_truth.py [FOLDER]
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from measured import keep
from sklearn.metrics import roc_auc_score
from training_grid import EPOCHS, POLICIES, Cell, Trained, train_grid

from cxr_core.schema import LABELS, Dataset, label_words

SEEDS = range(5)
VIEW = "frontal"


def auc_against(truth: pd.DataFrame, trained: Trained) -> dict[str, float]:
    """Return the AUC per label of a model's test predictions against a table of path and 0/1 labels."""
    predictions = pd.read_parquet(trained.predictions)
    predictions = predictions[predictions["dataset"] == Dataset.test]
    joined = predictions.merge(truth, on="path", suffixes=("", "_true"), validate="one_to_one")
    return {label: float(roc_auc_score(joined[f"{label}_true"], joined[label])) for label in LABELS}


def summary(values: list[float]) -> dict[str, float]:
    """Return mean and standard deviation (n - 1) over the seeds."""
    return {"mean": float(np.mean(values)), "sd": float(np.std(values, ddof=1))}


def table(policies: dict[str, Any]) -> str:
    """Return the README's table: a row for the mean and one for each label, a column for each policy."""
    rows = [("**mean of the 14**", [one["mean"] for one in policies.values()])]
    rows += [(label_words(label), [one["labels"][label] for one in policies.values()]) for label in LABELS]
    lines = [f"| AUC against the truth | {' | '.join(policies)} |", "|---" * (len(policies) + 1) + "|"]
    for name, cells in rows:
        lines.append(f"| {name} | " + " | ".join(f"{one['mean']:.3f} ± {one['sd']:.3f}" for one in cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Train what is missing, judge, keep and print the table."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "workspace/policies").absolute()
    trained = train_grid([Cell(VIEW, policy, seed) for seed in SEEDS for policy in POLICIES], folder)
    truth = pd.read_parquet(trained[0].home / "sources/demo/truth.parquet")
    policies = {}
    for policy in POLICIES:
        runs = [auc_against(truth, one) for one in trained if one.cell.policy == policy]
        labels = {label: summary([run[label] for run in runs]) for label in LABELS}
        mean = summary([float(np.mean(list(run.values()))) for run in runs])
        policies[policy] = {"mean": mean, "labels": labels, "runs": runs}
    settings = {"view": VIEW, "dataset": "test", "seeds": list(SEEDS), "epochs": EPOCHS}
    seconds = {one.cell.name: round(one.seconds) for one in trained}
    path = keep("policies_against_truth", {"settings": settings, "policies": policies, "training_seconds": seconds})
    print(f"{table(policies)}\n\nkept in {path}")


if __name__ == "__main__":
    main()
