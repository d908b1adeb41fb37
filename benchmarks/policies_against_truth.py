"""The policies for uncertain labels and blanks, several seeds each, judged against what was really there.

Only the demo can be judged so: its truth is kept. The tables go into docs/measurements.md whatever they show.
A training that FOLDER already has is not done again, so that a measurement that was broken off goes on where it stood,
also by pieces of some minutes. A policy that FOLDER has no training of keeps the figures of `results/`, which say
where they were measured. Each figure states the seeds that it rests on; its interval is Student's t over these seeds,
on these test images.

    python benchmarks/policies_against_truth.py [FOLDER] [--policies NAME …] [--seeds N] [--for-seconds N] [--keep]
"""

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from measured import RESULTS, circumstances, keep
from scipy.stats import t as student
from sklearn.metrics import roc_auc_score
from training_grid import EPOCHS, FROM_READINGS, POLICIES, Cell, Trained, train_grid

from cxr_core.policy_kinds import SELF_TRAINED, THREE_CLASS
from cxr_core.schema import LABELS, Dataset, Value, View, label_words
from cxr_core.uncertainty import LEARNED, MASK_BLANKS, SMOOTHED, Policy

VIEW = "frontal"
#: Those that take longest come last.
ALL_POLICIES = (*POLICIES, FROM_READINGS, "estimated", SMOOTHED, THREE_CLASS, MASK_BLANKS, LEARNED, SELF_TRAINED)
NAME = "policies_against_truth"
PAGE = Path(__file__).parents[1] / "docs" / "measurements.md"
BEGIN, END = "<!-- policies against the truth: begin -->", "<!-- policies against the truth: end -->"


def compared_cells(policies: Sequence[str], seeds: int) -> list[Cell]:
    """Return the models of the comparison, seed by seed, and within a seed in the order of the policies."""
    return [Cell(VIEW, policy, seed) for seed in range(seeds) for policy in policies]


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


def summary(values: list[float]) -> dict[str, Any]:
    """Return mean and standard deviation (n - 1) over the n seeds, and the 95 % interval of the mean (Student's t)."""
    n, mean = len(values), float(np.mean(values))
    if n < 2:
        return {"mean": mean, "sd": None, "n": n, "ci": None}
    sd = float(np.std(values, ddof=1))
    half = float(student.isf(0.025, n - 1)) * sd / math.sqrt(n)
    return {"mean": mean, "sd": sd, "n": n, "ci": [mean - half, mean + half]}


def table(policies: dict[str, Any]) -> str:
    """Return the page's table: a row for the seeds, one for the mean and one for each label, a column a policy."""
    rows = [("seeds", [str(one["mean"]["n"]) for one in policies.values()])]
    rows += [("**mean of the 14**", [_spread(one["mean"]) for one in policies.values()])]
    rows += [("its 95 % interval", [_ends(one["mean"]["ci"]) for one in policies.values()])]
    rows += [(label_words(label), [_spread(one["labels"][label]) for one in policies.values()]) for label in LABELS]
    lines = [f"| AUC against the truth | {' | '.join(policies)} |", "|---" * (len(policies) + 1) + "|"]
    lines += [f"| {name} | {' | '.join(cells)} |" for name, cells in rows]
    return "\n".join(lines)


def _ends(ci: list[float] | None) -> str:
    return "–" if ci is None else f"{ci[0]:.3f} to {ci[1]:.3f}"


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


def _spread(one: dict[str, Any], digits: int = 3) -> str:
    spread = "" if one["sd"] is None else f" ± {one['sd']:.{digits}f}"
    return f"{one['mean']:.{digits}f}{spread}"


def _write_page(part: str) -> None:
    text = PAGE.read_text()
    before, rest = text.split(BEGIN)
    PAGE.write_text(before + part + rest.split(END)[1])


def compared(trained: list[Trained], home: Path) -> dict[str, Any]:
    """Return the figures of the policies by the seeds that were trained, else as they are kept."""
    truth = pd.read_parquet(home / "sources/demo/truth.parquet")
    kept = json.loads((RESULTS / f"{NAME}.json").read_text())
    policies = {}
    for policy in ALL_POLICIES:
        models = [one for one in trained if one.cell.policy == policy]
        if models:
            runs = [auc_against(truth, one) for one in models]
            seconds = [round(one.seconds) for one in models]
            policies[policy] = of_policy(runs, circumstances() | {"training_seconds": seconds})
        elif policy in kept["policies"]:
            known = kept["policies"][policy]
            origin = known.get("measured") or {name: kept[name] for name in circumstances()}
            policies[policy] = of_policy(known["runs"], origin)
    learned = [one for one in trained if one.cell.policy == LEARNED]
    return {
        "settings": {"view": VIEW, "dataset": "test", "epochs": EPOCHS},
        "policies": policies,
        "learned": learned_numbers(learned) if learned else kept["learned"],
        "present_among_uncertain": present_among_uncertain(home, truth),
    }


def of_policy(runs: list[dict[str, float]], origin: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of the trainings of one policy, and where they were measured."""
    labels = {label: summary([run[label] for run in runs]) for label in LABELS}
    mean = summary([float(np.mean(list(run.values()))) for run in runs])
    return {"measured": origin, "mean": mean, "labels": labels, "runs": runs}


def main() -> None:
    """Train what is missing, judge, and keep the figures and put the tables into the page where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", default="workspace/policies")
    parser.add_argument("--workers", type=int, default=2, help="trainings at a time")
    parser.add_argument("--threads", type=int, default=1, help="of each training")
    parser.add_argument("--policies", nargs="*", default=ALL_POLICIES, choices=ALL_POLICIES, help="that are trained")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--for-seconds", type=float, default=math.inf, help="then put off what is left")
    parser.add_argument("--keep", action="store_true", help="write the figures into benchmarks/results and the page")
    chosen = parser.parse_args()
    cells, folder = compared_cells(chosen.policies, chosen.seeds), Path(chosen.folder).absolute()
    trained = train_grid(cells, folder, chosen.workers, chosen.threads, seconds=chosen.for_seconds)
    result = compared(trained, folder / "worker0")
    print(page_part(result))
    if chosen.keep:
        print(f"kept in {keep(NAME, result)}")
        _write_page(page_part(result))


if __name__ == "__main__":
    main()
