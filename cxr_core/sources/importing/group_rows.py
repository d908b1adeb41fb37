"""A table that tells more of patients, studies or images, such as race or insurance -> columns of the label rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cxr_core.errors import Choice, TableError, UndecidedError, UnknownNameError
from cxr_core.schema import KEY_COLUMNS, LABELS
from cxr_core.sources.importing import cells
from cxr_core.sources.importing.cells import BadCells
from cxr_core.sources.importing.group_joins import JOINS, KEYS
from cxr_core.sources.importing.identifiers import Identifiers
from cxr_core.sources.importing.mapping import Mapping
from cxr_core.sources.importing.row_keys import with_path
from cxr_core.sources.importing.spelling import ColumnMapping, guess_mapping, normalised
from cxr_core.sources.importing.text_table import TextTable, read_text_table
from cxr_core.warehouse.tables import check_column
from cxr_core.words import counted

#: Columns that become groups under our name for them.
_PROPERTIES = ("sex", "age", "position", "procedure")
#: How programs spell that a cell says nothing; "none" may be an answer.
_BLANK = cells.MISSING_WORDS - {"none"}


@dataclass(frozen=True, eq=False)
class GroupRows:
    """What a file tells of label rows: `rows` has their `path` and the `columns`, texts or float64, None or NaN blank.

    Of the rows `read`, `refused` had a bad cell, and `matched` and `unmatched` name a label row or none.
    """

    rows: pd.DataFrame
    columns: tuple[str, ...]
    by: str
    read: int
    refused: int
    matched: int
    unmatched: int
    notes: list[str]


def group_rows(
    file: Path, labels: pd.DataFrame, known: Identifiers, said: Mapping, by: str | None, skip: bool
) -> GroupRows:
    """Return what a file tells of label rows.

    Args:
        file: a table with a column that names patients, studies or images, and others that tell something of them.
        labels: the key columns of the source's label rows.
        known: the source's integers.
        said: what the user says of the file; `keep` names the columns that are wanted, all where it is empty.
        by: a key of `KEYS`, or None for the finest that the file has a column of.
        skip: whether rows with a bad cell are left out.

    Raises:
        TableError: the file is damaged, tells nothing, names no label row, or has a cell that means nothing.
        UndecidedError: the file can be read in two ways, or says two things of one patient, study or image.
        UnknownNameError: there is no such key, or no column that `keep` names.
    """
    notes: list[str] = []
    table = read_text_table(file, said.file)
    mapping, by = _mapped(table, said, by, notes)
    wanted = _wanted(table, mapping, said)
    bad = BadCells(table)
    of_rows, of_labels, names, sentence = JOINS[by](bad, mapping, labels, known, notes)
    columns = {name: _column(bad, name, column) for name, column in wanted.items()}
    bad.refuse(skip)
    told = pd.DataFrame(columns).assign(row=of_rows)[~bad.rows]
    matched = told[told["row"] >= 0]
    if matched.empty:
        raise TableError(
            f"No row of {table.name} is in the label table by {by} (first: {names[0][:100]!r}). Name the right column "
            f"with --column {KEYS[by][0]}=NAME, another key with --by, or the right --source."
        )
    each = _one_row_each(matched, [*wanted], said.rows, by, np.asarray(names, dtype=object)[matched.index], table)
    rows = each.reindex(of_labels).reset_index(drop=True).assign(path=labels["path"].to_numpy())
    rows = rows[rows[[*wanted]].notna().any(axis=1)]
    notes += [sentence, f"{len(rows):,} of {counted(len(labels), 'row')} of the label table have a group by it now."]
    refused = int(bad.rows.sum())
    counts = (table.rows, refused, len(matched), len(told) - len(matched))
    return GroupRows(rows[["path", *wanted]].reset_index(drop=True), tuple(wanted), by, *counts, notes)


def check_key(by: str | None) -> None:
    """Raise `UnknownNameError` where groups cannot be joined by this; None leaves it to the file."""
    if by is not None and by not in KEYS:
        raise UnknownNameError("key of groups", by, tuple(KEYS))


def _mapped(table: TextTable, said: Mapping, by: str | None, notes: list[str]) -> tuple[ColumnMapping, str]:
    """Return which column is which, and by what the file is joined."""
    check_key(by)
    mapping = guess_mapping(table.columns, table.name, said.columns, said.findings)
    there = [key for key, roles in KEYS.items() if any(role in mapping.roles for role in roles)]
    if not there or (by == "path" and "path" not in there):
        mapping = with_path(table, mapping, notes)
        there = [*there, *(["path"] if "path" in mapping.roles else [])]
    chosen = by or (there[0] if there else None)
    if chosen is None or chosen not in there:
        needed = f"the {by}" if by else "the patient, study or image (path)"
        raise TableError(
            f"{table.name} must have a column that names {needed}: say which with --column {by or 'patient'}=NAME. "
            f"Received: {', '.join(table.columns)[:200]}."
        )
    return mapping, chosen


def _wanted(table: TextTable, mapping: ColumnMapping, said: Mapping) -> dict[str, str]:
    """Return the columns that become groups: our name -> the file's."""
    ours = {theirs: role for role, theirs in mapping.roles.items()}
    taken = {theirs for theirs, role in ours.items() if role not in _PROPERTIES} | set(mapping.labels.values())
    free = [name for name in table.columns if name not in taken]
    for name in said.keep:
        if name not in free:
            raise UnknownNameError(f"column of {table.name} that can be a group", name, free)
    found: dict[str, str] = {}
    for column in said.keep or free:
        name = _name(ours.get(column) or normalised(column), column)
        if name in found:
            raise TableError(f"{table.name} has the column {name} twice, as {found[name]!r} and {column!r}. Keep one.")
        found[name] = column
    if not found:
        raise TableError(
            f"{table.name} must have a column beside its keys and labels, as `race`. "
            f"Received: {', '.join(table.columns)[:200]}."
        )
    return found


def _name(name: str, column: str) -> str:
    """Return a name that no key or label has and that may stand in SQL."""
    if not name or not name[0].isalpha():
        name = f"column_{name}".rstrip("_")
    if name in (*KEY_COLUMNS, *LABELS, "row"):
        raise TableError(f"A group cannot be called {name}, as the column {column!r} is. Rename it in the file.")
    return check_column(name)


def _column(bad: BadCells, name: str, column: str) -> pd.Series:
    """Return a column as groups: sex as F and M, ages in years, numbers where all are, else texts."""
    if name == "sex":
        return pd.Series(cells.sexes(bad, column).to_pylist(), dtype="object")
    if name == "age":
        return pd.Series(cells.ages(bad, column)[0])
    texts = [None if text is None or text.lower() in _BLANK else text for text in bad.table.columns[column].to_pylist()]
    pointed = cells.pointed(bad.table, column).to_pylist()
    numbers = [None if text is None else cells.as_number(of) for text, of in zip(texts, pointed, strict=True)]
    stated = [number for text, number in zip(texts, numbers, strict=True) if text is not None]
    if stated and None not in stated:
        return pd.Series(np.array(numbers, dtype=np.float64))
    return pd.Series(texts, dtype="object")


def _one_row_each(
    told: pd.DataFrame, columns: Sequence[str], rule: str | None, by: str, names: np.ndarray, table: TextTable
) -> pd.DataFrame:
    """Return what is told of each label row (or patient, or study), by its number.

    A blank cell beside one that says something does not count. Where two say different things, `majority` takes the
    more frequent (of equally frequent ones the first), `max` the largest.
    """
    if not told["row"].duplicated().any():
        return told.set_index("row")
    grouped = told.groupby("row")
    found = {}
    for column in columns:
        differing = grouped[column].nunique() > 1
        if differing.any() and rule not in ("majority", "max"):
            row = differing.index.to_numpy()[int(differing.to_numpy().argmax())]
            raise _two_values(told, column, int(row), by, str(names[(told["row"] == row).argmax()]), table)
        if rule == "max":
            found[column] = grouped[column].max()
        else:
            found[column] = _most_frequent(told, column) if differing.any() else grouped[column].first()
    return pd.DataFrame(found)


def _most_frequent(told: pd.DataFrame, column: str) -> pd.Series:
    counts = told.groupby(["row", column], sort=False).size().reset_index(name="count")
    best = counts.sort_values("count", ascending=False, kind="stable").drop_duplicates("row")
    return best.set_index("row")[column].sort_index()


def _two_values(told: pd.DataFrame, column: str, row: int, by: str, name: str, table: TextTable) -> UndecidedError:
    values = told.loc[(told["row"] == row) & told[column].notna(), column].drop_duplicates().iloc[:2]
    said = " and ".join(repr(value)[:60] for value in values)
    choices = [
        Choice("the most frequent value", "--answer rows=majority", {"rows": "majority"}),
        Choice("the largest value", "--answer rows=max", {"rows": "max"}),
    ]
    return UndecidedError("rows", f"{table.name} says two things of the {by} {name!r}: {column} {said}.", choices)
