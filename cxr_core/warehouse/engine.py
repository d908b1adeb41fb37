"""What the warehouse asks of the thing that runs its SQL; `local` and `bigquery` are the two."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from cxr_core.warehouse.answers import Answer
from cxr_core.warehouse.questions import Query


@dataclass(frozen=True)
class TableInfo:
    """What is known of a table without reading its rows."""

    columns: tuple[str, ...]
    scale: str
    metadata: dict[str, Any]


class Engine(Protocol):
    """Runs questions over the tables of one kind; every error it raises is a `CxrError`."""

    def name(self, location: str) -> str:
        """Return what stands for a table in the SQL."""

    def identity(self, locations: Sequence[str]) -> tuple[Hashable, ...]:
        """Return what changes when the tables do, as far as that can be known without reading them."""

    def run(self, query: Query, locations: Sequence[str]) -> tuple[pa.Table, Answer]:
        """Answer a question over the tables at `locations`."""

    def estimate(self, query: Query) -> int | None:
        """Return the bytes that a question would read, None where reading costs nothing."""

    def describe(self, location: str) -> TableInfo:
        """Return what is known of a table."""

    def models(self, pattern: str) -> dict[str, str]:
        """Return the models that have a table matching `pattern`, and each table's location."""
