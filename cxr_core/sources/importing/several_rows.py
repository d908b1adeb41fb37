"""Several rows of an image (readers, boxes, findings) become one, by a rule that the layout fixes or the user says."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxr_core.errors import Choice, TableError, UndecidedError
from cxr_core.schema import LABELS, Value
from cxr_core.sources.importing.text_table import TextTable
from cxr_core.words import counted

_MOST_READERS = 3


def one_row_each(
    frame: pd.DataFrame,
    findings: Sequence[str],
    readers: pd.Series | None,
    rule: str | None,
    row_rule: str | None,
    table: TextTable,
    notes: list[str],
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Return one row a path, in the order in which the paths come first, and each reader's own where they are kept.

    Args:
        frame: the rows, with `path`; the columns `findings` have label codes, -1 where a row says nothing.
        findings: the columns that are put together; of the others the first row's are taken.
        readers: who read each row, or None where no column tells it.
        rule: what the user said: max, majority, readings (the majority, and each reader's rows kept) or reader=NAME.
        row_rule: the rule of the layout for several rows of one reader, None where there is none.
        table: the file, for messages.
        notes: what was done is said here.

    Raises:
        UndecidedError: several readers saw an image and nobody said whose word counts.
        TableError: the reader who was named read nothing.
    """
    if readers is None and rule == "readings":
        raise _no_readers(table)
    if not frame["path"].duplicated().any() and rule != "readings":
        return _stated(frame, findings), None
    if readers is not None and row_rule is None and rule is None:
        raise _whose_word(frame, readers, table)
    if rule is not None and rule.startswith("reader="):
        frame = _of_reader(frame, readers, rule.removeprefix("reader="), table)
        rule = "max"
        readers = None
    single = frame
    if readers is not None:
        # What one of a reader's rows (boxes, findings) says is there, is there: so each reader has one vote.
        single = _largest(frame.assign(reader=readers.to_numpy()), findings, ["path", "reader"])
    kept = _votes(single, findings) if rule == "readings" else None
    by_majority = rule in ("majority", "readings")
    single = _majority(single, findings) if by_majority else _largest(single, findings, ["path"])
    more = len(frame) - single["path"].nunique()
    how = "the majority of their values (a tie is uncertain)" if by_majority else "the largest of their values"
    notes.append(f"Put together {counted(more, 'further row')} of the same images: {how} counts.")
    return _stated(single.drop(columns="reader", errors="ignore"), findings), kept


def _votes(frame: pd.DataFrame, findings: Sequence[str]) -> pd.DataFrame:
    """Return what each reader says of each path, as codes; NULL where it is blank or nothing."""
    labels = [name for name in findings if name in LABELS]
    said = {name: frame[name].astype("Int64").mask(frame[name] <= Value.not_mentioned) for name in labels}
    return frame[["path", "reader"]].assign(**said).reset_index(drop=True)


def _whose_word(frame: pd.DataFrame, readers: pd.Series, table: TextTable) -> UndecidedError:
    names = sorted(readers.dropna().unique().tolist())
    several = int(frame["path"].duplicated(keep=False).sum())
    choices = [
        Choice("what most of the readers say; a tie is uncertain", "--answer rows=majority", {"rows": "majority"}),
        Choice("what any reader says is there", "--answer rows=max", {"rows": "max"}),
        Choice("what most say, and each reader's rows kept as readings", "--answer rows=readings",
               {"rows": "readings"}),
        *(Choice(f"only {name}'s rows", f"--answer rows=reader={name}", {"rows": f"reader={name}"})
          for name in names[:_MOST_READERS]),
    ]  # fmt: skip
    question = (
        f"{table.name} has {counted(several, 'row')} of images that several of {counted(len(names), 'reader')} saw; "
        "whose word counts?"
    )
    return UndecidedError("rows", question, choices)


def _of_reader(frame: pd.DataFrame, readers: pd.Series | None, name: str, table: TextTable) -> pd.DataFrame:
    if readers is None:
        raise _no_readers(table)
    own = frame[(readers == name).to_numpy()]
    if own.empty:
        raise TableError(
            f"No row of {table.name} is by the reader {name!r}. It has: {', '.join(readers.unique()[:20])}."
        )
    return own


def _no_readers(table: TextTable) -> TableError:
    return TableError(f"{table.name} has no column of readers; say which one it is with --column reader=NAME.")


def _largest(frame: pd.DataFrame, findings: Sequence[str], by: list[str]) -> pd.DataFrame:
    groups = frame.groupby(by, sort=False, dropna=False)
    return groups.first().assign(**{name: groups[name].max() for name in findings}).reset_index()


def _majority(frame: pd.DataFrame, findings: Sequence[str]) -> pd.DataFrame:
    groups = frame.groupby("path", sort=False)
    first = groups.first()
    codes = {name: _most(frame, name).reindex(first.index) for name in findings}
    return first.assign(**codes).reset_index()


def _most(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return the value that most rows of each path have; where two have as many, it is uncertain."""
    said = frame.loc[frame[name] >= 0, ["path", name]]
    votes = said.groupby(["path", name]).size().rename("votes").reset_index()
    best = votes["votes"] == votes.groupby("path")["votes"].transform("max")
    top = votes[best]
    tied = top["path"].duplicated(keep=False)
    values = top.drop_duplicates("path").set_index("path")[name]
    return values.mask(values.index.isin(top.loc[tied, "path"]), Value.uncertain.value)


def _stated(frame: pd.DataFrame, findings: Sequence[str]) -> pd.DataFrame:
    """Return the rows with NULL where no row of an image says anything of a finding."""
    codes = {name: _or_null(frame[name]) for name in findings}
    return frame.assign(**codes).reset_index(drop=True)


def _or_null(column: pd.Series) -> pd.Series:
    if column.dtype == np.int64:
        codes = column.to_numpy()
        return pd.Series(pd.arrays.IntegerArray(codes, codes < 0), index=column.index)
    column = column.astype("Int64")
    return column.mask(column < 0)
