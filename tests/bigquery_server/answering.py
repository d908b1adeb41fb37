"""From a statement to its rows: GoogleSQL's analyser first, then its reference engine for few rows, DuckDB for many."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp

from bigquery_server import googlesql
from bigquery_server.googlesql import Analysis, TooLargeError
from bigquery_server.refusals import RefusedError

#: Most rows, over all tables of a statement, that go to the reference engine.
REFERENCE_ROWS = 2000
GOOGLESQL, DUCKDB = "googlesql", "duckdb"

#: name -> (type, value) of the parameters of a statement.
Parameters = Mapping[str, tuple[str, Any]]


@dataclass(frozen=True)
class Statement:
    """One line of the server's log: what was asked, which engine answered, and what it cost.

    `engine` is googlesql, duckdb, cache, dry run, or refused (by the analyser, the limit or a missing table).
    """

    sql: str
    parameters: dict[str, Any]
    project: str
    labels: dict[str, str]
    engine: str
    rows: int = 0
    bytes_processed: int = 0
    bytes_billed: int = 0

    def __str__(self) -> str:
        question = self.labels.get("question", "")
        cost = f"{self.bytes_processed:,} bytes read, {self.bytes_billed:,} billed"
        return f"{self.engine:<9} {question:<18} {self.rows:>7,} rows, {cost}"


def rows_of(sql: str, tables: Mapping[str, pa.Table], found: Analysis, parameters: Parameters, limit: int) -> Any:
    """Return (rows, engine) of an analysed statement over the tables that it reads, in the types that it declares."""
    if sum(table.num_rows for table in tables.values()) <= limit:
        try:
            return googlesql.execute(sql, tables, parameters), GOOGLESQL
        except TooLargeError:
            pass
        except RefusedError as error:
            if "Unsupported built-in function: approx_quantiles" not in str(error):
                raise
    return _typed(_in_duckdb(sql, tables, parameters), found.schema), DUCKDB


def _in_duckdb(sql: str, tables: Mapping[str, pa.Table], parameters: Parameters) -> pa.Table:
    names = {full: f"table_{number}" for number, full in enumerate(sorted(tables))}
    with duckdb.connect(":memory:") as connection:
        for full, plain in names.items():
            connection.register(plain, tables[full])
        try:
            values = {name: value for name, (_, value) in parameters.items()}
            return connection.sql(_translated(sql, tuple(names.items())), params=values).to_arrow_table()
        except duckdb.Error as error:
            raise RefusedError(400, "invalidQuery", str(error).split("\n", 1)[0]) from error


@lru_cache(maxsize=256)
def _translated(sql: str, names: tuple[tuple[str, str], ...]) -> str:
    """Return DuckDB's SQL, in which the tables have plain names."""
    tree = sqlglot.parse_one(sql, read="bigquery")
    plain = dict(names)
    for table in list(tree.find_all(exp.Table)):
        full = ".".join(part.name for part in table.parts)
        if full in plain:
            table.set("this", exp.to_identifier(plain[full]))
            table.set("db", None)
            table.set("catalog", None)
    for fingerprint in list(tree.find_all(exp.FarmFingerprint)):
        fingerprint.replace(exp.Anonymous(this="hash", expressions=fingerprint.expressions))
    return tree.sql(dialect="duckdb")


def _typed(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    # The analyser says what BigQuery would return; DuckDB counts in other widths.
    columns = [column.cast(wanted.type) for column, wanted in zip(rows.columns, schema, strict=True)]
    return pa.table(columns, schema=schema)
