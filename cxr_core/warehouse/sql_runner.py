"""What the warehouse asks of the thing that runs its SQL; `local` and `bigquery` are the two."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from cxr_core.stamps import Stamp
from cxr_core.warehouse.answers import AskedQuery
from cxr_core.warehouse.named_table import NamedTable
from cxr_core.warehouse.questions import Query


@dataclass(frozen=True)
class TableInfo:
    """What is known of a table without reading its rows; `rows` is None where nothing tells their number."""

    columns: tuple[str, ...]
    scale: str
    metadata: dict[str, Any]
    rows: int | None = None


@dataclass(frozen=True)
class TableState:
    """How a table stands, found without reading it.

    `stamp` is another one when the rows may be, () for a table that is not there; `changed` is when they changed last,
    in seconds since 1970, None where nothing tells. Where nobody could be asked just now, `is_checked` is false and the
    rest is what was found last.
    """

    location: str
    stamp: Stamp
    changed: float | None
    is_checked: bool = True


class SqlRunner(Protocol):
    """Runs questions over the tables of one kind; every error it raises is a `CxrError`."""

    def places(self, location: str) -> list[str]:
        """Return the tables that a location of label tables stands for, sorted."""

    def named(self, locations: Sequence[str]) -> list[NamedTable]:
        """Return tables as they stand in the SQL."""

    def states(self, locations: Sequence[str]) -> tuple[TableState, ...]:
        """Return how each table stands; raises nothing, and for many tables takes no longer than for one."""

    def run(self, query: Query, locations: Sequence[str]) -> tuple[pa.Table, AskedQuery]:
        """Answer a question over the tables at `locations`."""

    def estimate(self, query: Query) -> int | None:
        """Return the bytes that a question would read, None where reading costs nothing."""

    def describe(self, location: str) -> TableInfo:
        """Return what is known of a table."""

    def models(self, pattern: str) -> dict[str, str]:
        """Return the models that have a table matching `pattern`, and each table's location."""
