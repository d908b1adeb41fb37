"""What NULL is among the labels of a BigQuery table: a blank of the report, or nothing at all. Only its owner knows."""

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from cxr_core.errors import Choice, UndecidedError
from cxr_core.schema import VALUES
from cxr_core.words import counted

NOT_MENTIONED, NO_VALUE = VALUES[0], "no_value"
#: What `null_is` of a source can be, and in words.
NULL_RULES = {
    NOT_MENTIONED: "NULL is a blank: the report does not mention the label",
    NO_VALUE: "NULL is no value: nobody looked for the label, and the row counts nowhere for it",
}
TOPIC = "null"


def null_question(source: str, labels: Iterable[str]) -> UndecidedError:
    """Return the question what the NULLs are that stand in some labels of a source's tables."""
    names = sorted(labels)
    shown = ", ".join(names[:3]) + (f" and {counted(len(names) - 3, 'more label')}" if len(names) > 3 else "")
    choices = [
        Choice(words, f"`sources --source {source} --null-is {rule}`", {"null_is": rule})
        for rule, words in NULL_RULES.items()
    ]
    return UndecidedError(TOPIC, f"The label tables of {source} have NULL as a value of {shown}.", choices)


def labels_with_nulls(table: pa.Table, columns: dict[str, str]) -> list[str]:
    """Return the labels of which a column (label -> its column) has a NULL."""
    return [label for label, column in columns.items() if table[column].null_count]


def counted_nulls(table: pa.Table, labels: Iterable[str], suffix: str) -> list[str]:
    """Return the labels for which a distribution counts NULLs: as rows without a value, or in `<label><suffix>`."""
    if "value" in table.column_names:
        return sorted(set(table.filter(pc.is_null(table["value"]))["label"].to_pylist()))
    return [label for label in labels if (pc.sum(table[f"{label}{suffix}"]).as_py() or 0) > 0]
