"""Opening a warehouse."""

from functools import lru_cache

from cxr_core.warehouse.tables import TableSet
from cxr_core.warehouse.warehouse import Warehouse


@lru_cache(maxsize=64)
def open_warehouse(tables: TableSet) -> Warehouse:
    """Return the warehouse of a set of tables; nothing is read or connected before the first question."""
    return Warehouse(tables)
