"""A table as it stands in a question: its name in the SQL, and what of it decides how it has to be asked."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class NamedTable:
    """A table in a question.

    `numbers` are the columns (in lower case) that are stored as numbers: they are compared as they are, since BigQuery
    leaves no partition out where a function stands around the column. `condition` is SQL that the table demands of
    whoever reads it ("": none), and `null_label` the code that a NULL label stands for (None: for no value).
    """

    name: str
    numbers: frozenset[str] = frozenset()
    condition: str = ""
    null_label: int | None = None

    def where(self, parameters: Iterable[str]) -> str:
        """Return the WHERE of a question in which columns equal the parameters of their names; "" where all is read."""
        conditions = [f"{self._as_number(name)} = @{name}" for name in parameters]
        conditions += [self.condition] if self.condition else []
        return f" WHERE {' AND '.join(conditions)}" if conditions else ""

    def label(self, name: str, prefix: str = "") -> str:
        """Return the SQL of a label's code."""
        code = f"CAST({name} AS FLOAT64)"
        return f"{code if self.null_label is None else f'IFNULL({code}, {self.null_label})'} AS {prefix}{name}"

    def _as_number(self, column: str) -> str:
        return column if column in self.numbers else f"CAST({column} AS FLOAT64)"
