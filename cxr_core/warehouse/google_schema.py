"""What a table of BigQuery says of its columns, its scale, and of how it wants to be asked."""

from typing import TYPE_CHECKING

from cxr_core.errors import WarehouseError
from cxr_core.schema import DEFAULT_SCALE, SCALE_KEY, SCALES
from cxr_core.warehouse.named_table import NamedTable
from cxr_core.warehouse.sql_runner import TableInfo

if TYPE_CHECKING:
    from google.cloud import bigquery

#: A table label cannot hold a '.'.
SCALE_LABEL = SCALE_KEY.replace(".", "_")

_NUMBERS = frozenset({"INTEGER", "INT64", "FLOAT", "FLOAT64", "NUMERIC", "BIGNUMERIC"})
#: Where a table is partitioned by the time at which rows came in, this column has it, which no schema lists.
_PARTITION_TIME = "_PARTITIONTIME"
#: The least value of each type that a table can be partitioned by.
_LEAST = {
    "DATE": "DATE '0001-01-01'",
    "DATETIME": "DATETIME '0001-01-01'",
    "TIMESTAMP": "TIMESTAMP '0001-01-01'",
    "INTEGER": "-9223372036854775808",
}


def table_info(table: "bigquery.Table", location: str) -> TableInfo:
    """Return the columns, the rows and the scale of a table (its label `cxr_scale`)."""
    scale = table.labels.get(SCALE_LABEL, DEFAULT_SCALE)
    if scale not in SCALES:
        raise WarehouseError(
            f"The label {SCALE_LABEL} of {location} must be one of {', '.join(SCALES)}. Received: {scale!r}."
        )
    return TableInfo(tuple(field.name for field in table.schema), scale, {}, table.num_rows)


def named_table(name: str, table: "bigquery.Table | None") -> NamedTable:
    """Return a table as it stands in the SQL; of one that could not be looked up nothing but its name is known."""
    if table is None:
        return NamedTable(name)
    numbers = frozenset(field.name.lower() for field in table.schema if field.field_type in _NUMBERS)
    return NamedTable(name, numbers, _partition_filter(table) if table.require_partition_filter else "")


def _partition_filter(table: "bigquery.Table") -> str:
    """Return a condition that every row fulfils and that BigQuery takes for a filter on the partitions."""
    by_range, by_time = table.range_partitioning, table.time_partitioning
    column = by_range.field if by_range is not None else by_time.field if by_time is not None else None
    types = {field.name.lower(): field.field_type for field in table.schema}
    least = _LEAST["INTEGER" if by_range is not None else types.get((column or "").lower(), "TIMESTAMP")]
    name = f"`{column}`" if column else _PARTITION_TIME
    return f"({name} >= {least} OR {name} IS NULL)"
