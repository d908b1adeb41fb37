"""Readings beside the label rows that they are of -> the table of a set, in which nobody reads a row twice."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from cxr_core.errors import ExistsError, TableError
from cxr_core.schema import INTEGER_KEYS, KEY_COLUMNS, LABELS, READER_COLUMN, SET_ASIDE_COLUMN
from cxr_core.sources.importing.identifiers import Identifiers
from cxr_core.sources.importing.matching import IMAGE_ENDING
from cxr_core.sources.importing.prediction_keys import study_rows
from cxr_core.words import counted

NOT_READ = 0
#: The set of the studies that a data set ships labelled by hand.
BY_HAND = "radiologist"
#: The set of the readers whose rows a file of labels has.
BY_READERS = "readers"

_STUDY = ["dataset", "patient", "study"]


def read_once(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each reader's row once.

    Args:
        rows: the key columns, `reader`, labels as codes of `schema.Verdict` (0 or NULL not read).

    Raises:
        TableError: a reader says two things of one row, or nobody says present or absent of anything.
    """
    labels = [label for label in LABELS if label in rows]
    said = rows[labels].apply(lambda codes: codes.astype("Int64").fillna(NOT_READ))
    if not said.isin([1, 3]).any(axis=None):
        raise TableError(
            "The readings hold no verdict: nobody says present or absent of anything. Check the columns of the labels, "
            "or leave the file out."
        )
    different = rows.assign(**said)[~_repeated(rows, said)]
    twice = different[_whose(different).duplicated()]
    if len(twice):
        reader, path = twice[READER_COLUMN].iloc[0], twice["path"].iloc[0]
        raise TableError(
            f"The reader {reader!r} says two different things of {path!r}. Leave one of the rows in the file, or name "
            "two readers."
        )
    integers = {name: different[name].astype("int64") for name in INTEGER_KEYS if name != "view"}
    view = different["view"].astype("Int64").mask(different["view"] == -1)
    return different.assign(**integers, view=view).reset_index(drop=True)


def of_whole_studies(rows: pd.DataFrame) -> pd.DataFrame:
    """Return readings of images, of which the label table has the studies alone, as readings of their studies.

    What is present on one image is present in the study, so the largest code of a reader's images is his of the study.
    Other rows stay as they are, and so do those of an image that stands twice, which `read_once` looks at.
    """
    images = (rows["image"] == 0) & rows["path"].str.contains(IMAGE_ENDING, regex=True)
    images &= ~rows.duplicated(["path", READER_COLUMN], keep=False)
    if not images.any():
        return rows
    labels = [label for label in LABELS if label in rows]
    named = rows[images].assign(path=rows.loc[images, "path"].str.rsplit("/", n=1).str[0])
    kept = {name: "first" for name in KEY_COLUMNS if name not in _STUDY} | dict.fromkeys(labels, "max")
    further: dict[str, Any] = {SET_ASIDE_COLUMN: " ".join} if SET_ASIDE_COLUMN in rows else {}
    whole = named.groupby([*_STUDY, READER_COLUMN], sort=False, as_index=False).agg({**kept, **further})
    return pd.concat([rows[~images], whole[list(rows.columns)]], ignore_index=True)


def merged_readings(table: Path, rows: pd.DataFrame, replace: bool) -> pd.DataFrame:
    """Return rows beside those of the set's table; a label that nobody read is NULL.

    Args:
        table: of the set; it need not exist.
        rows: as `read_once` returns them.
        replace: whether readings of the same reader on the same row are replaced.

    Raises:
        ExistsError: a reader has read one of the rows already, and is not to be replaced.
    """
    present = (
        pq.read_table(table).to_pandas() if table.is_file() else pd.DataFrame(columns=[*KEY_COLUMNS, READER_COLUMN])
    )
    again = _whose(present).isin(_whose(rows))
    if again.any() and not replace:
        first = present[again].iloc[0]
        raise ExistsError(
            f"{table.stem} has {int(again.sum()):,} of these readings already, first that of {first[READER_COLUMN]!r} "
            f"on {first['path']!r}. Use --replace to replace them."
        )
    kept = present[~again]
    both = pd.concat([kept, rows], ignore_index=True) if len(kept) else rows
    labels = {}
    for label in LABELS:
        codes = both[label] if label in both else pd.Series(NOT_READ, index=both.index)
        labels[label] = codes.astype("Int64").mask(codes.isna() | (codes == NOT_READ).fillna(False))
    further = [SET_ASIDE_COLUMN] if SET_ASIDE_COLUMN in both else []
    return both[[*KEY_COLUMNS, READER_COLUMN, *further]].assign(view=both["view"].astype("Int64"), **labels)


def hand_labelled(readings: pd.DataFrame, labels: pd.DataFrame, identifiers: Identifiers) -> tuple[pd.DataFrame, str]:
    """Return readings of studies by the keys of a source's label rows, and what came of it in a sentence.

    Args:
        readings: `study` as the file names it, `reader` and codes of `schema.Verdict` (NULL not read).
        labels: the key columns of all label rows of the source.
        identifiers: the source's integers.

    Raises:
        TableError: none of the studies is one patient's in the label table, or no verdict is in the readings.
    """
    keys = study_rows(readings["study"].tolist(), None, labels, identifiers).drop(columns="key")
    found = pd.concat([keys, readings.drop(columns="study").reset_index(drop=True)], axis=1)
    found = found[found["path"].notna()]
    if found.empty:
        raise TableError("None of the studies that were labelled by hand is in the label table. Check the files.")
    lost = len(readings) - len(found)
    left = (
        f"; {counted(lost, 'is', 'are')} not in the label table, or of several patients, and left out" if lost else ""
    )
    kept = counted(len(found), "study labelled by hand is", "studies labelled by hand are")
    return read_once(found), f"{kept} kept as the readings {BY_HAND!r}, beside the report's labels{left}."


def by_readers(readings: pd.DataFrame, labels: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return readings of images (`path`, `reader`, codes of `schema.Verdict`) by the keys of label rows, as above."""
    found = read_once(readings.merge(labels, on="path", how="inner"))
    readers = counted(found[READER_COLUMN].nunique(), "reader")
    kept = counted(len(found), "row", "rows")
    return found, f"{kept} by {readers} kept as the readings {BY_READERS!r}, beside the labels."


def _repeated(rows: pd.DataFrame, said: pd.DataFrame) -> np.ndarray:
    """Return which rows (n,) say again what the same reader said of the same row."""
    return pd.concat([_whose(rows).to_frame(index=False), said.reset_index(drop=True)], axis=1).duplicated().to_numpy()


def _whose(rows: pd.DataFrame) -> pd.MultiIndex:
    """Return what is read and who reads (n,): an image by its path, a study however the file spells it."""
    is_study = (rows["image"] == 0).tolist()
    studies = rows[_STUDY].astype("int64").itertuples(index=False, name=None)
    each = zip(is_study, studies, rows["path"], rows[READER_COLUMN], strict=True)
    read = [(str(study) if whole else str(path), whole, reader) for whole, study, path, reader in each]
    return pd.MultiIndex.from_tuples(read, names=["row", "whole", "reader"])
