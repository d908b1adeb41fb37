"""Seven policies for uncertain labels and blanks, five seeds each, judged against what was really there.

Only the demo can be judged so: its truth is kept. The tables go into docs/measurements.md whatever they show.
A training that FOLDER already has is not done again, so that a measurement that was broken off goes on where it stood.

    python benchmarks/policies_against_truth.py [FOLDER] [--workers N] [--threads N] [--seeds N]
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from measured import keep
from sklearn.metrics import roc_auc_score
from training_grid import EPOCHS, FROM_READINGS, POLICIES, Cell, Trained, train_grid

from cxr_core.schema import LABELS, Dataset, Value, View, label_words
from cxr_core.uncertainty import LEARNED, MASK_BLANKS, Policy

VIEW = "frontal"
ALL_POLICIES = (*POLICIES, FROM_READINGS, MASK_BLANKS, LEARNED)
PAGE = Path(__file__).parents[1] / "docs" / "measurements.md"
BEGIN, END = "<!-- policies against the truth: begin -->", "<!-- policies against the truth: end -->"


def compared_cells(seeds: int) -> list[Cell]:
    """Return the models of the comparison, seed by seed; `learned`, which takes longest, comes last."""
    fixed, learned = ALL_POLICIES[:-1], ALL_POLICIES[-1:]
    return [Cell(VIEW, policy, seed) for policies in (fixed, learned) for seed in range(seeds) for policy in policies]


def auc_against(truth: pd.DataFrame, trained: Trained) -> dict[str, float]:
    """Return the AUC per label of a model's test predictions against a table of path and 0/1 labels."""
    predictions = pd.read_parquet(trained.predictions)
    predictions = predictions[predictions["dataset"] == Dataset.test]
    joined = predictions.merge(truth, on="path", suffixes=("", "_true"), validate="one_to_one")
    return {label: float(roc_auc_score(joined[f"{label}_true"], joined[label])) for label in LABELS}


def present_among_uncertain(home: Path, truth: pd.DataFrame) -> dict[str, float | None]:
    """Return for each label the share of the uncertain training images on which the finding is really there."""
    labels = pd.read_parquet(home / "sources/demo/labels_train.parquet")
    joined = labels[labels["view"] == View[VIEW]].merge(truth, on="path", suffixes=("", "_true"))
    shares = {}
    for label in LABELS:
        of_uncertain = joined.loc[joined[label] == Value.uncertain, f"{label}_true"]
        shares[label] = float(of_uncertain.mean()) if len(of_uncertain) else None
    return shares


def learned_numbers(trained: list[Trained]) -> dict[str, dict[str, dict[str, float]]]:
    """Return the u and w that each label ended with in the models that learned them, over the seeds."""
    policies = [Policy.from_dict(one.policy) for one in trained]
    return {
        letter: {label: summary([getattr(p, letter)[place] for p in policies]) for place, label in enumerate(LABELS)}
        for letter in ("u", "w")
    }


def summary(values: list[float]) -> dict[str, float]:
    """Return mean and standard deviation (n - 1) over the seeds."""
    return {"mean": float(np.mean(values)), "sd": float(np.std(values, ddof=1)) if len(values) > 1 else 0.0}


def table(policies: dict[str, Any]) -> str:
    """Return the page's table: a row for the mean and one for each label, a column for each policy."""
    rows = [("**mean of the 14**", [one["mean"] for one in policies.values()])]
    rows += [(label_words(label), [one["labels"][label] for one in policies.values()]) for label in LABELS]
    lines = [f"| AUC against the truth | {' | '.join(policies)} |", "|---" * (len(policies) + 1) + "|"]
    lines += [f"| {name} | {' | '.join(map(_spread, cells))} |" for name, cells in rows]
    return "\n".join(lines)


def learned_table(result: dict[str, Any]) -> str:
    """Return the page's table of what was learned, beside the share of uncertain images with the finding."""
    lines = ["| | present among the uncertain | learned u | learned w |", "|---|---|---|---|"]
    for label in LABELS:
        share = result["present_among_uncertain"][label]
        known = "–" if share is None else f"{share:.2f}"
        u, w = (_spread(result["learned"][letter][label], 2) for letter in ("u", "w"))
        lines.append(f"| {label_words(label)} | {known} | {u} | {w} |")
    return "\n".join(lines)


def page_part(result: dict[str, Any]) -> str:
    """Return everything between the two marks in the page."""
    tables = [table(result["policies"])]
    if "learned" in result:
        tables.append(learned_table(result))
    return f"{BEGIN}\n" + "\n\n".join(tables) + f"\n{END}"


def _spread(one: dict[str, float], digits: int = 3) -> str:
    return f"{one['mean']:.{digits}f} ± {one['sd']:.{digits}f}"


def _write_page(part: str) -> None:
    text = PAGE.read_text()
    before, rest = text.split(BEGIN)
    PAGE.write_text(before + part + rest.split(END)[1])


def compared(trained: list[Trained], seeds: int) -> dict[str, Any]:
    """Return the figures of the policies that all seeds were trained with."""
    truth = pd.read_parquet(trained[0].home / "sources/demo/truth.parquet")
    of_policy = {policy: [one for one in trained if one.cell.policy == policy] for policy in ALL_POLICIES}
    policies = {}
    for policy, models in of_policy.items():
        if len(models) < seeds:
            continue
        runs = [auc_against(truth, one) for one in models]
        labels = {label: summary([run[label] for run in runs]) for label in LABELS}
        mean = summary([float(np.mean(list(run.values()))) for run in runs])
        policies[policy] = {"mean": mean, "labels": labels, "runs": runs}
    learned = {"learned": learned_numbers(of_policy[LEARNED])} if LEARNED in policies else {}
    return {
        "settings": {"view": VIEW, "dataset": "test", "seeds": list(range(seeds)), "epochs": EPOCHS},
        "policies": policies,
        **learned,
        "present_among_uncertain": present_among_uncertain(trained[0].home, truth),
        "training_seconds": {one.cell.name: round(one.seconds) for one in trained},
    }


def main() -> None:
    """Train what is missing, judge, keep the figures and put the tables into the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", default="workspace/policies")
    parser.add_argument("--workers", type=int, default=2, help="trainings at a time")
    parser.add_argument("--threads", type=int, default=1, help="of each training")
    parser.add_argument("--seeds", type=int, default=5, help="fewer than five are a trial: nothing is kept")
    chosen = parser.parse_args()
    trained = train_grid(compared_cells(chosen.seeds), Path(chosen.folder).absolute(), chosen.workers, chosen.threads)
    result = compared(trained, chosen.seeds)
    print(page_part(result))
    if chosen.seeds >= 5:
        print(f"kept in {keep('policies_against_truth', result)}")
        _write_page(page_part(result))


if __name__ == "__main__":
    main()
