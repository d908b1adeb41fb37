"""Does a question about 100 million joined rows cost about what the join of the tables costs, in little memory?

    python benchmarks/pushed_down.py [--folder workspace/pushed-down] [--rows 100000000] [--keep]

DuckDB writes label and prediction tables of two labels, 5 images a patient, in Parquet (4 GB; they are deleted in the
end). Then, each in a process of its own: the bare join of the columns of one label with COUNT(*), and AUC, average
precision, curves and intervals of that label by sums. What the sums say is held against the exact figures, from all
rows, on the first 5 million. Needs some 6 GB more for what does not fit in memory.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
from measured import keep

NAME, LABEL, OTHER = "pushed-down", "edema", "fracture"
EXACT_ROWS = 5_000_000
#: The most that sums may take, as a share of the bare join's time, and of memory in bytes.
MOST_TIMES, MOST_MEMORY = 1.5, 2_000_000_000
MEMORY = "SET memory_limit = '1400MB'; SET preserve_insertion_order = false; SET temp_directory = '{}'"

BARE = """
import duckdb, sys
folder, spill, label = sys.argv[1:]
connection = duckdb.connect()
connection.execute(f"SET memory_limit = '1400MB'; SET preserve_insertion_order = false; SET temp_directory = '{spill}'")
connection.execute("SET enable_progress_bar = false")
found = connection.sql(f'''
SELECT COUNT(*), COUNT(patient), COUNT(p.{label}), COUNT(l.{label})
FROM (SELECT path, {label} FROM '{folder}/predictions/net_predictions.parquet' WHERE dataset = 0) p
JOIN (SELECT path, patient, {label} FROM '{folder}/labels.parquet' WHERE dataset = 0) l USING (path)''').fetchall()
print(found[0][0])
"""
OURS = """
import json, sys
from cxr_core.tasks.evaluate_sums import summed_model
found = summed_model(sys.argv[1], "net", "train", None, [sys.argv[2]]).labels[sys.argv[2]]
print(json.dumps(found.figures.as_json() | {"vertices": len(found.roc.fpr)}))
"""


def make(folder: Path, rows: int, spill: Path) -> None:
    """Write the source's tables."""
    (folder / "predictions").mkdir(parents=True, exist_ok=True)
    (folder / "source.toml").write_text('kind = "local"\n')
    connection = duckdb.connect()
    connection.execute(MEMORY.format(spill))
    codes = "CASE WHEN {0} < {1} THEN 3 WHEN {0} < {1} + 0.03 THEN 2 WHEN {0} < 0.5 THEN 1 ELSE 0 END"
    labels = f"{codes.format('h', 0.15)} AS {LABEL}, {codes.format('g', 0.05)} AS {OTHER}"
    keys = "'p' || p || '/' || i || '.jpg' AS path, p AS patient, i // 2 AS study, i % 2 + 1 AS image, 0 AS view"
    drawn = f"SELECT i, i // 5 AS p, random() AS h, random() AS g FROM range({rows}) AS r(i)"
    connection.execute(f"COPY (SELECT {keys}, 0 AS dataset, {labels} FROM ({drawn})) TO '{folder}/labels.parquet'")
    noise = "ln(({0} * 0.999998 + 1e-6) / (1 - {0} * 0.999998 - 1e-6))"
    scores = ", ".join(
        f"({label} = 3)::INT * {moved}::DOUBLE + {noise.format(drawn)} AS {label}"
        for label, moved, drawn in ((LABEL, 1.5, "u"), (OTHER, 2.0, "w"))
    )
    source = f"SELECT *, random() AS u, random() AS w FROM '{folder}/labels.parquet'"
    connection.execute(
        f"COPY (SELECT path, patient, study, image, view, dataset, {scores} FROM ({source})) "
        f"TO '{folder}/predictions/net_predictions.parquet'"
    )


def first_rows(folder: Path, to: Path) -> None:
    """Write the first `EXACT_ROWS` rows of the tables into another source."""
    (to / "predictions").mkdir(parents=True, exist_ok=True)
    (to / "source.toml").write_text('kind = "local"\n')
    for name in ("labels.parquet", "predictions/net_predictions.parquet"):
        rows = f"SELECT * FROM '{folder / name}' WHERE patient < {EXACT_ROWS // 5}"
        duckdb.execute(f"COPY ({rows}) TO '{to / name}'")


def asked(command: list[str], home: Path) -> tuple[Any, dict[str, float]]:
    """Return what a process prints, the clock's and the processor's seconds, and the memory that it took at most."""
    start = time.perf_counter()
    environment = os.environ | {"CXR_HOME": str(home), "TMPDIR": str(home)}
    process = subprocess.Popen([sys.executable, "-c", *command], stdout=subprocess.PIPE, env=environment)
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    assert status == 0, command[1:]
    seconds = {"clock": time.perf_counter() - start, "processor": used.ru_utime + used.ru_stime}
    return json.loads(printed.splitlines()[-1]), seconds | {"memory": used.ru_maxrss * 1024}


def errors(home: Path, exact: str) -> dict[str, dict[str, float]]:
    """Return by how much the figures from sums are off on rows that can be fetched, beside what is stated."""
    code = (
        "import json, sys\nfrom cxr_core.tasks.evaluate import evaluate\n"
        "print(json.dumps(evaluate(sys.argv[1], 'net', 'train').as_json()['labels'][sys.argv[2]]))"
    )
    os.environ["CXR_MOST_JOINED_ROWS"] = "1000000000"
    rows, _ = asked([code, exact, LABEL], home)
    os.environ["CXR_MOST_JOINED_ROWS"] = "0"
    sums, _ = asked([code, exact, LABEL], home)
    found = {}
    for figure in ("roc_auc", "average_precision"):
        found[figure] = {"off": abs(rows[figure] - sums[figure]), "bound": sums["bounds"][figure]}
        ends = zip(rows[f"{figure}_ci"], sums[f"{figure}_ci"], strict=True)
        found[f"{figure}_ci"] = {"off": max(abs(a - b) for a, b in ends), "bound": sums["bounds"][f"{figure}_ci"]}
    assert {name: rows[name] for name in ("n", "n_positive")} == {name: sums[name] for name in ("n", "n_positive")}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("workspace/pushed-down"))
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--keep", action="store_true", help="write benchmarks/results/pushed_down.json")
    chosen = parser.parse_args()
    home = chosen.folder.resolve()
    sources = home / "sources"
    try:
        make(sources / NAME, chosen.rows, home)
        bare_rows, bare = asked([BARE, str(sources / NAME), str(home), LABEL], home)
        figures, ours = asked([OURS, NAME, LABEL], home)
        first_rows(sources / NAME, sources / "exact")
        off = errors(home, "exact")
    finally:
        shutil.rmtree(home, ignore_errors=True)
    ratios = {f"{what}_ratio": round(ours[what] / bare[what], 3) for what in ("clock", "processor")}
    within = all(one["off"] <= one["bound"] for one in off.values())
    result = {
        "rows": bare_rows,
        "bare": {name: round(value, 2) for name, value in bare.items()},
        "ours": {name: round(value, 2) for name, value in ours.items()},
        **ratios,
        "figures": figures,
        f"errors_on_{EXACT_ROWS}": off,
        "errors_within_bounds": within,
        "holds": ratios["clock_ratio"] <= MOST_TIMES and ours["memory"] < MOST_MEMORY and within,
    }
    sys.stdout.write(json.dumps(result, indent=1) + "\n")
    if chosen.keep:
        sys.stdout.write(f"kept in {keep('pushed_down', result)}\n")


if __name__ == "__main__":
    main()
