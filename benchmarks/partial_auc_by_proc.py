"""The area under a part of the ROC curve by R's pROC, as a fixture for the tests.

    python benchmarks/partial_auc_by_proc.py            # writes tests/evaluation/partial_auc_by_proc.json
    python benchmarks/partial_auc_by_proc.py --check    # makes it anew and compares with what is kept

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

FIXTURE = Path(__file__).parents[1] / "tests/evaluation/partial_auc_by_proc.json"
SPECIFICITIES = (0.8, 0.9, 0.95)
SCRIPT = """
suppressMessages(library(pROC))
rows <- read.csv(commandArgs(trailingOnly = TRUE)[1])
for (case in unique(rows$case)) for (specificity in c(0.8, 0.9, 0.95)) {
  one <- rows[rows$case == case, ]
  area <- function(correct) auc(one$y, one$score, direction = "<", levels = c(0, 1), quiet = TRUE,
    partial.auc = c(1, specificity), partial.auc.focus = "specificity", partial.auc.correct = correct)
  at <- coords(roc(one$y, one$score, direction = "<", levels = c(0, 1), quiet = TRUE),
    x = specificity, input = "specificity", ret = "sensitivity", transpose = FALSE)
  cat(sprintf("%d %.2f %.17g %.17g %.17g\\n", case, specificity, area(FALSE), area(TRUE), max(unlist(at))))
}
"""


def cases() -> list[dict[str, list[float]]]:
    """Return truth and scores: distinct ones, ties, few positives, a nearly perfect model."""
    found = []
    for seed, (n, share, shift, digits) in enumerate(
        [(400, 0.4, 1.0, 9), (400, 0.4, 1.0, 1), (500, 0.06, 0.8, 9), (300, 0.3, 3.0, 9), (250, 0.5, 0.0, 0)]
    ):
        random = np.random.default_rng(seed)
        y = (random.random(n) < share).astype(int)
        scores = (random.normal(size=n) + shift * y).round(digits)
        found.append({"y": y.tolist(), "score": scores.tolist()})
    return found


def by_proc() -> list[dict[str, Any]]:
    """Return each case with what pROC says of it."""
    made = cases()
    with tempfile.TemporaryDirectory() as folder:
        table, script = Path(folder) / "rows.csv", Path(folder) / "proc.R"
        lines = [f"{i},{y},{s!r}" for i, one in enumerate(made) for y, s in zip(one["y"], one["score"], strict=True)]
        table.write_text("case,y,score\n" + "\n".join(lines) + "\n")
        script.write_text(SCRIPT)
        done = subprocess.run(["Rscript", str(script), str(table)], capture_output=True, text=True, check=True)
    said: dict[int, list[dict[str, float | None]]] = {}
    for line in done.stdout.split("\n")[:-1]:
        case, specificity, area, corrected, sensitivity = line.split()
        said.setdefault(int(case), []).append(
            {
                "specificity": float(specificity),
                "partial_auc": float(area),
                "standardised": None if corrected == "NA" else float(corrected),  # where guessing does better
                "sensitivity": float(sensitivity),
            }
        )
    return [one | {"by_proc": said[number]} for number, one in enumerate(made)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if shutil.which("Rscript") is None:
        sys.exit("Rscript is missing. Install Debian's r-cran-proc.")
    found = by_proc()
    if not options.check:
        FIXTURE.write_text(json.dumps(found) + "\n")
        return
    kept = json.loads(FIXTURE.read_text())
    pairs = [
        (now[name], before[name])
        for one, former in zip(found, kept, strict=True)
        for now, before in zip(one["by_proc"], former["by_proc"], strict=True)
        for name in ("partial_auc", "standardised", "sensitivity")
    ]
    largest = max(abs(now - before) for now, before in pairs if None not in (now, before))
    print(f"pROC says what is kept: the largest of {len(pairs)} differences is {largest:.1e}")
    sys.exit(largest > 1e-12)


if __name__ == "__main__":
    main()
