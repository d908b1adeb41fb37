"""Partitions: which rows a statement reads of a partitioned table, and what BigQuery says where it has to have a filter."""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlglot
from sqlglot import exp

from bigquery_server.refusals import RefusedError

#: What a table that is partitioned by the time at which rows came in has beside its schema.
PARTITION_TIME = "_PARTITIONTIME"
_COMPARING = (exp.EQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is)


def partition_of(rows: pa.Table, column: str | None, required: bool) -> dict[str, Any]:
    """Return what a table's resource says of its partitions."""
    if column is None:
        return {}
    if column == PARTITION_TIME:
        kind: dict[str, Any] = {"timePartitioning": {"type": "DAY"}}
    elif pa.types.is_integer(rows.schema.field(column).type):
        limits = {"start": "0", "end": "10", "interval": "1"}
        kind = {"rangePartitioning": {"field": column, "range": limits}}
    else:
        kind = {"timePartitioning": {"type": "DAY", "field": column}}
    return kind | {"requirePartitionFilter": required}


def rows_read(sql: str, name: str, rows: pa.Table, column: str, required: bool, values: Mapping[str, Any]) -> pa.Table:
    """Return the rows of the partitions that a statement reads of a table.

    Only a condition on the bare column counts: a function around it leaves no partition out.

    Raises:
        RefusedError: a filter is required and there is none.
    """
    for select in _selects_of(sql, name):
        where = select.args.get("where")
        conditions = (
            [] if where is None else list(where.this.flatten() if isinstance(where.this, exp.And) else [where.this])
        )
        filters = [condition for condition in conditions if _is_on(condition, column)]
        if required and not filters:
            raise RefusedError(
                400,
                "invalidQuery",
                f"Cannot query over table '{name}' without a filter over column(s) '{column}' that can be used for "
                "partition elimination",
            )
        for condition in filters:
            if isinstance(condition, exp.EQ) and isinstance(condition.expression, exp.Parameter):
                rows = rows.filter(pc.equal(rows[column], values[condition.expression.name]))
    return rows


def _selects_of(sql: str, name: str) -> Iterator[exp.Select]:
    for table in sqlglot.parse_one(sql, read="bigquery").find_all(exp.Table):
        if ".".join(part.name for part in table.parts) == name:
            select = table.find_ancestor(exp.Select)
            assert select is not None
            yield select


def _is_on(condition: exp.Expression, column: str) -> bool:
    columns = list(condition.find_all(exp.Column))
    return bool(columns) and all(
        found.name.lower() == column.lower() and isinstance(found.parent, _COMPARING) for found in columns
    )
