"""Are questions at the size of MIMIC-CXR answered in less time than plain scripts take without any interval?

    python benchmarks/real_size.py [--folder workspace/real-size] [--rounds 2] [--keep]

The plain script reads the same Parquet files with pandas, joins them by path and calls scikit-learn's `roc_auc_score`
and `average_precision_score` for each label. `evaluate` gives all intervals besides, `compare` all paired tests. Both
are asked in turn, each in a process of its own; the figures are compared while they are timed. The ratio is that of
the processor's time (both together, so that other load of the machine matters little); the clock's stands beside it.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from look_alike import NAME, make
from measured import keep

PLAIN = """
import json, sys
import pandas as pd
from sklearn.metrics import average_precision_score, roc_auc_score
folder, models = sys.argv[1], sys.argv[2:]
labels = pd.read_parquet(f"{folder}/labels.parquet")
keys = ["path", "patient", "study", "image", "view", "dataset"]
names = [name for name in labels.columns if name not in keys]
found = {}
for model in models:
    predicted = pd.read_parquet(f"{folder}/predictions/{model}_predictions.parquet")
    rows = labels[labels["dataset"] == 0].merge(predicted[["path", *names]], on="path", suffixes=("", "_predicted"))
    for name in names:
        certain = rows[rows[name] != 2]
        y, scores = certain[name] == 3, certain[f"{name}_predicted"]
        found[f"{model} {name}"] = [roc_auc_score(y, scores), average_precision_score(y, scores)]
print(json.dumps(found))
"""
#: The most that ours may take, as a share of the plain script's time.
MOST = 0.8


def asked(command: Sequence[str], home: Path) -> tuple[dict[str, Any], dict[str, float]]:
    """Return what a command prints, and the processor's and the clock's seconds that it took."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = os.environ | {"CXR_HOME": str(home)}
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(done.stdout), {"processor": processor, "clock": time.perf_counter() - start}


def question(home: Path, models: Sequence[str], rounds: int) -> dict[str, Any]:
    """Ask `evaluate` of one model or `compare` of two, and the plain script, in turn; the best round counts."""
    where = ["--source", NAME, "--dataset", "train", "--json"]
    ours = ["-m", "cxr_core", "evaluate" if len(models) == 1 else "compare", *models, *where]
    plain = ["-c", PLAIN, str(home / "sources" / NAME), *models]
    times: dict[str, list[dict[str, float]]] = {"ours": [], "plain": []}
    for _ in range(rounds):
        theirs, seconds = asked(plain, home)
        times["plain"].append(seconds)
        found, seconds = asked(ours, home)
        times["ours"].append(seconds)
        check(found, theirs, models)
    best = {
        f"{whose}_{what}_seconds": round(min(one[what] for one in each), 2)
        for whose, each in times.items()
        for what in ("processor", "clock")
    }
    ratios = {
        f"{what}_ratio": round(best[f"ours_{what}_seconds"] / best[f"plain_{what}_seconds"], 3)
        for what in ("processor", "clock")
    }
    return {"models": len(models)} | best | ratios | {"holds": ratios["processor_ratio"] <= MOST}


def check(found: dict[str, Any], theirs: dict[str, list[float]], models: Sequence[str]) -> None:
    """Assert that both say the same figures."""
    for label, figures in found["labels"].items():
        each = [theirs[f"{model} {label}"] for model in models]
        if len(models) == 1:
            assert abs(figures["roc_auc"] - each[0][0]) < 1e-12, "the AUC differs"
            assert abs(figures["average_precision"] - each[0][1]) < 1e-12, "the average precision differs"
            assert figures["roc_auc_ci"] and figures["average_precision_ci"], "an interval is missing"
        else:
            assert abs(figures["difference"] - (each[0][0] - each[1][0])) < 1e-12, "the difference differs"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("workspace/real-size"))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--keep", action="store_true", help="write benchmarks/results/real_size.json")
    chosen = parser.parse_args()
    if not (chosen.folder / "sources" / NAME).exists():
        make(chosen.folder)
    result = {
        "evaluate": question(chosen.folder, ["model1"], chosen.rounds),
        "compare": question(chosen.folder, ["model1", "model2"], chosen.rounds),
    }
    sys.stdout.write(json.dumps(result, indent=1) + "\n")
    if chosen.keep:
        sys.stdout.write(f"kept in {keep('real_size', result)}\n")


if __name__ == "__main__":
    main()
