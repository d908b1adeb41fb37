"""DeLong's variance, interval and paired test by R's pROC, as a fixture for the tests.

    python benchmarks/delong_by_proc.py            # writes tests/evaluation/delong_by_proc.json
    python benchmarks/delong_by_proc.py --check    # makes it anew and compares with what is kept and with ours

R and pROC are needed (Debian: r-cran-proc).
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from cxr_core.evaluation.delong import delong_interval, delong_test, delong_variance

FIXTURE = Path(__file__).parents[1] / "tests/evaluation/delong_by_proc.json"
SCRIPT = """
suppressMessages(library(pROC))
arguments <- commandArgs(trailingOnly = TRUE)
rows <- read.csv(arguments[1])
for (case in unique(rows$case)) {
  one <- rows[rows$case == case, ]
  a <- roc(one$y, one$a, direction = "<", levels = c(0, 1), quiet = TRUE)
  b <- roc(one$y, one$b, direction = "<", levels = c(0, 1), quiet = TRUE)
  interval <- ci.auc(a, method = "delong")
  test <- roc.test(a, b, method = "delong", paired = TRUE)
  cat(sprintf("%d %.15g %.15g %.15g %.15g %.15g %.15g %.15g\\n", case, auc(a), auc(b), var(a, method = "delong"),
              interval[1], interval[3], test$statistic, test$p.value))
}
"""


def cases() -> list[dict[str, list[float]]]:
    """Return truth and two models' scores: distinct scores, ties, few positives, a nearly perfect model."""
    found = []
    for seed, (n, prevalence, shift, levels) in enumerate(
        [
            (60, 0.3, 1.0, 0),
            (200, 0.1, 1.5, 0),
            (120, 0.5, 0.8, 3),
            (40, 0.2, 0.5, 1),
            (300, 0.05, 2.5, 10),
            (80, 0.4, 3.5, 0),
        ]
    ):
        rng = np.random.default_rng(100 + seed)
        y = (rng.random(n) < prevalence).astype(int)
        a = rng.normal(size=n) + shift * y
        b = 0.7 * a + 0.7 * rng.normal(size=n)
        if levels:
            a, b = np.round(a * levels) / levels, np.round(b * levels) / levels
        found.append({"y": y.tolist(), "a": np.round(a, 6).tolist(), "b": np.round(b, 6).tolist()})
    return found


def by_proc(data: list[dict[str, list[float]]]) -> list[dict[str, float]]:
    """Return what pROC says of each case."""
    with tempfile.TemporaryDirectory() as folder:
        table, script = Path(folder) / "rows.csv", Path(folder) / "delong.R"
        lines = ["case,y,a,b"]
        for number, case in enumerate(data):
            lines += [f"{number},{y},{a!r},{b!r}" for y, a, b in zip(case["y"], case["a"], case["b"], strict=True)]
        table.write_text("\n".join(lines))
        script.write_text(SCRIPT)
        done = subprocess.run(["Rscript", script, table], capture_output=True, text=True, check=True)
    names = ("auc_a", "auc_b", "variance_a", "low_a", "high_a", "z", "p")
    rows = [line.split()[1:] for line in done.stdout.splitlines()]
    return [dict(zip(names, map(float, row), strict=True)) for row in rows]


def ours(case: dict[str, Any]) -> dict[str, float]:
    """Return the same of our own."""
    y, a, b = (np.array(case[name]) for name in ("y", "a", "b"))
    test, interval, variance = delong_test(y, a, b), delong_interval(y, a), delong_variance(y, a)
    assert test is not None and test.z is not None and test.p is not None and interval is not None
    assert variance is not None
    return {"variance_a": variance, "low_a": interval[0], "high_a": interval[1], "z": test.z, "p": test.p}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    chosen = parser.parse_args()
    if not shutil.which("Rscript"):
        sys.exit("R is not installed here: apt-get install r-cran-proc")
    data = cases()
    said = by_proc(data)
    if not chosen.check:
        FIXTURE.write_text(json.dumps([{**case, "proc": one} for case, one in zip(data, said, strict=True)]) + "\n")
        print(f"kept {len(data)} cases in {FIXTURE}")
        return
    kept = json.loads(FIXTURE.read_text())
    largest = 0.0
    for case, one in zip(kept, said, strict=True):
        differences = [abs(case["proc"][name] - one[name]) for name in one]
        differences += [abs(value - one[name]) for name, value in ours(case).items()]
        largest = max(largest, *differences)
    print(f"{len(kept)} cases: kept, made anew and ours differ by at most {largest:.1e}")
    if largest > 1e-6:
        sys.exit("They must agree to 1e-6.")


if __name__ == "__main__":
    main()
