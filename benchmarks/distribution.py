"""Our distribution against the notebook's own query, in DuckDB on a table of 370,000 rows.

The notebook counts each of the 14 labels over a scan of its own. Ours reads the table once, counts distinct paths (the
definition) or, where the table has shown that no path stands twice, rows. Seven rounds, the three interleaved, so that
what else the machine does befalls all of them; the ratio of medians is what counts. `logical bytes` are those that
BigQuery charges for: of each column that is read, once, 8 for a number and 2 more than its length for a text.

    python benchmarks/distribution.py [ROWS [ROUNDS]]
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from measured import keep

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "warehouse"))
from bigquery_server import googlesql
from bigquery_server.storing import logical_bytes
from notebook_query import notebook_query

from cxr_core.schema import LABELS
from cxr_core.warehouse import questions
from cxr_core.warehouse.frames import taken_apart
from cxr_core.warehouse.local import translated
from cxr_core.warehouse.questions import Query

ROWS, ROUNDS = 370_000, 7
NAMES = ("data-project.cxr.labels_train", "data-project.cxr.labels_valid")
#: Shares of not mentioned, negative, uncertain and positive, about those of MIMIC-CXR.
SHARES = (0.7, 0.12, 0.05, 0.13)


def tables(rows: int) -> dict[str, pa.Table]:
    """Return training and validation labels of so many images together, two thirds of them frontal."""
    rng = np.random.default_rng(370)
    view, dataset = (rng.random(rows) < 1 / 3).astype(np.int64), (rng.random(rows) < 0.008).astype(np.int64)
    patient = 10_000_000 + rng.integers(0, 65_000, rows)
    names = zip(range(rows), patient, np.array(["train", "valid"])[dataset], strict=True)
    paths = [f"{name}/p{person}/s{number:07d}/view1_frontal.jpg" for number, person, name in names]
    keys = {"path": paths, "patient": patient, "study": np.arange(rows), "image": 1, "view": view, "dataset": dataset}
    codes = {label: rng.choice(4, rows, p=SHARES) for label in LABELS}
    frame = pd.DataFrame(keys | codes)
    parts = (frame[frame["dataset"] == code] for code in (0, 1))
    return {name: pa.Table.from_pandas(part, preserve_index=False) for name, part in zip(NAMES, parts, strict=True)}


def main() -> None:
    """Measure, check that all three agree, keep and print."""
    rows, rounds = (int(text) for text in (*sys.argv[1:], ROWS, ROUNDS)[:2])
    stored = tables(rows)
    asked = {
        "notebook": Query("distribution", notebook_query(*NAMES, 0)),
        "distinct": questions.distribution(NAMES, "frontal"),
        "cheap": questions.distribution(NAMES, "frontal", unique=True),
    }
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(str(Path(folder) / "labels.duckdb")) as connection:
        plain = {name: f"table_{number}" for number, name in enumerate(NAMES)}
        for name, table in stored.items():
            connection.register("arrived", table)
            connection.execute(f"CREATE TABLE {plain[name]} AS SELECT * FROM arrived")
            connection.unregister("arrived")
        statements = {name: in_duckdb(query.sql, plain) for name, query in asked.items()}
        results = {name: answer(connection, statements[name], asked[name]) for name in asked}
        assert results["distinct"] == results["cheap"] == results["notebook"], "the three must agree"
        seconds: dict[str, list[float]] = {name: [] for name in asked}
        for _ in range(rounds):
            for name, query in asked.items():
                start = time.perf_counter()
                connection.execute(statements[name], query.parameters or None).fetchall()
                seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(measured) for name, measured in seconds.items()}
    ratios = {name: medians[name] / medians["notebook"] for name in ("cheap", "distinct")}
    read = {name: bytes_read(query, stored) for name, query in asked.items()}
    path = keep(
        "distribution",
        {
            "rows": rows,
            "rounds": rounds,
            "engine": f"DuckDB {duckdb.__version__}",
            "seconds": seconds,
            "median_seconds": medians,
            "ratio_to_notebook": ratios,
            "logical_bytes": read,
        },
    )
    for name in asked:
        ratio = f", {ratios[name]:.2f} of the notebook's" if name in ratios else ""
        print(f"{name:<9} {medians[name]:.3f} s (median of {rounds}){ratio}; {read[name]:,} logical bytes read")
    print(f"kept in {path}")


def in_duckdb(sql: str, plain: dict[str, str]) -> str:
    """Return DuckDB's SQL over the tables of the database."""
    for name, short in plain.items():
        sql = sql.replace(f"`{name}`", short)
    return translated(sql)


def answer(connection: duckdb.DuckDBPyConnection, sql: str, query: Query) -> dict[tuple[str, int, int], int]:
    """Return {(label, value, dataset): images}."""
    arrived = connection.sql(sql, params=query.parameters or None).to_arrow_table()
    if "label" not in arrived.column_names:
        arrived = taken_apart(arrived)
    table = arrived.to_pandas().query("images > 0" if "images" in arrived.column_names else "cnt > 0")
    value = "value" if "value" in table else "label_value"
    count = "images" if "images" in table else "cnt"
    keys = zip(table["label"], table[value].astype(int), table["dataset"].astype(int), strict=True)
    return dict(zip(keys, table[count].tolist(), strict=True))


def bytes_read(query: Query, stored: dict[str, pa.Table]) -> int:
    """Return the bytes of the columns that GoogleSQL's analyser says are read."""
    schemas = {name: table.schema for name, table in stored.items()}
    found = googlesql.analyse(query.sql, schemas, dict.fromkeys(query.parameters, "INT64"))
    return sum(logical_bytes(stored[name], columns) for name, columns in found.read.items())


if __name__ == "__main__":
    main()
