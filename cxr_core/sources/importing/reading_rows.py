"""A file of readings -> what each reader says of each label row.

A blank cell was not read; 0 and 1, yes and no, present and absent are verdicts, -1 and unsure are none. A readings
table of our own is read by its own codes.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cxr_core.errors import TableError, UsageError
from cxr_core.schema import KEY_COLUMNS, LABELS, READER_COLUMN, SET_ASIDE_COLUMN, Value, Verdict, check_name
from cxr_core.sources.importing import cells
from cxr_core.sources.importing.cells import BadCells
from cxr_core.sources.importing.identifiers import Identifiers
from cxr_core.sources.importing.mapping import Mapping
from cxr_core.sources.importing.prediction_keys import prediction_keys, study_rows
from cxr_core.sources.importing.reading_table import NOT_READ, of_whole_studies
from cxr_core.sources.importing.row_keys import with_path
from cxr_core.sources.importing.spelling import ColumnMapping, guess_mapping
from cxr_core.sources.importing.text_table import ENDINGS, TextTable, read_text_table

#: What stands in other people's files -> what the reader says.
_SAID = {Value.negative: Verdict.absent, Value.uncertain: Verdict.unsure, Value.positive: Verdict.present}


@dataclass(frozen=True, eq=False)
class ReadingRows:
    """The readings of one file.

    `rows` are those that have a label row: the key columns, the labels as codes of `schema.Verdict` (0 not read) and
    `reader`. Of the rows `read`, `refused` had a bad cell and `unmatched` no label row.
    """

    rows: pd.DataFrame
    read: int
    refused: int
    unmatched: int
    notes: list[str]


def reading_rows(
    file: Path, labels: pd.DataFrame, known: Identifiers, said: Mapping, reader: str | None, skip: bool
) -> ReadingRows:
    """Return the readings of a file beside the label rows that they are of.

    Args:
        file: a table with a path, DICOM id or study column and labels.
        labels: the key columns of the source's label rows.
        known: the source's integers.
        said: what the user says of the file.
        reader: whose the file is where it names no reader; by default the file's own name.
        skip: whether rows with a bad cell are left out.

    Raises:
        TableError: the file is damaged, has a cell that means nothing, matches no label row, or holds no verdict.
        UndecidedError: the file can be read in two ways.
        UsageError: nothing names the reader.
    """
    notes: list[str] = []
    table = read_text_table(file, said.file)
    guessed = guess_mapping(table.columns, table.name, said.columns, said.findings)
    mapped = with_path(table, guessed, notes, said.columns) if "study" not in guessed.roles else guessed
    if not mapped.labels:
        raise TableError(
            f"{table.name} has no column that names a label, as `Edema` does. Say which column is one with "
            f"--column edema=NAME. Received: {', '.join(table.columns)[:200]}."
        )
    bad = BadCells(table)
    codes = _codes(bad, mapped, said)
    readers = _readers(bad, mapped, reader or _reader_of(table.name))
    keys, sentence = _keys(bad, mapped, labels, known, notes)
    bad.refuse(skip)
    rows = pd.concat([keys, codes], axis=1).assign(**{READER_COLUMN: readers}, **_set_aside(table))[~bad.rows]
    matched = rows[rows["path"].notna()]
    notes.append(sentence)
    if not table.rows:
        raise TableError(f"{table.name} has a header and no row below it. Check the file.")
    if matched.empty:
        first = rows["key"].iloc[0] if len(rows) else ""
        raise TableError(
            f"No row of {table.name} is in the label table (first: {first!r}). "
            "Name the right column with --column path=NAME, or the right --source."
        )
    if not (matched[[*codes.columns]] != NOT_READ).any(axis=None):
        raise TableError(f"{table.name} holds no verdict: every cell of its labels is blank. Check the file.")
    unmatched = len(rows) - len(matched)
    return ReadingRows(of_whole_studies(matched.drop(columns="key")), table.rows, int(bad.rows.sum()), unmatched, notes)


def _codes(bad: BadCells, mapping: ColumnMapping, said: Mapping) -> pd.DataFrame:
    """Return what was said of each label that the file has, as codes of `schema.Verdict`."""
    words = {word.lower(): int(Value[ours]) for word, ours in said.values.items()}
    ours, found = _is_ours(bad.table), {}
    for label in (label for label in LABELS if label in mapping.labels):
        column = mapping.labels[label]
        found[label] = _own_codes(bad, column) if ours else _verdicts(cells.label_codes(bad, column, words))
    return pd.DataFrame(found)


def _is_ours(table: TextTable) -> bool:
    return {READER_COLUMN, *KEY_COLUMNS} <= set(table.columns)


def _set_aside(table: TextTable) -> dict[str, list[str]]:
    """Return the column of a table of our own that names the labels that were set aside, if it has one."""
    if not _is_ours(table) or SET_ASIDE_COLUMN not in table.columns:
        return {}
    texts = [text or "" for text in table.columns[SET_ASIDE_COLUMN].to_pylist()]
    return {SET_ASIDE_COLUMN: [" ".join(label for label in LABELS if label in text.split()) for text in texts]}


def _verdicts(values: np.ndarray) -> np.ndarray:
    table = np.zeros(max(Value) + 1, np.int64)
    for value, verdict in _SAID.items():
        table[value] = verdict
    return table[np.clip(values, 0, None)]


def _own_codes(bad: BadCells, column: str) -> np.ndarray:
    """Return the codes of a table of our own: blank not read, 1 absent, 2 unsure, 3 present."""
    texts = bad.table.columns[column].to_pylist()
    codes = {"": NOT_READ, **{form: int(v) for v in Verdict for form in (f"{v:d}", f"{v:d}.0")}}
    bad.add(np.array([(text or "") not in codes for text in texts], bool), column, "must be blank, 1, 2 or 3")
    return np.array([codes.get(text or "", NOT_READ) for text in texts], np.int64)


def _readers(bad: BadCells, mapping: ColumnMapping, alone: str) -> list[str]:
    """Return who read each row (n,)."""
    if "reader" in mapping.roles:
        found: list[str] = cells.key_texts(bad, mapping.roles["reader"]).to_pylist()
        return found
    return [alone] * bad.table.rows


def _reader_of(file: str) -> str:
    name = Path(file).name
    ending = max((end for end in ENDINGS if name.lower().endswith(end)), key=len, default="")
    stem = name[: len(name) - len(ending)]
    try:
        return check_name("reader", stem)
    except UsageError as error:
        raise UsageError(f"{file} names no reader: say whose readings they are with --reader NAME.") from error


def _keys(
    bad: BadCells, mapping: ColumnMapping, labels: pd.DataFrame, known: Identifiers, notes: list[str]
) -> tuple[pd.DataFrame, str]:
    """Return the key columns of each row, NULL where it finds no label row, and a sentence on how they were found."""
    keys, matches, names = prediction_keys(bad, mapping, labels, lambda: known, notes)
    if keys["path"].notna().any() or "path" not in mapping.roles:
        return keys, matches.sentence(names, "readings")
    # A column of paths may name the folders of studies, as the readers' files of CheXpert do.
    by_study = study_rows(names.to_pylist(), None, labels, known)
    count = int(by_study["path"].notna().sum())
    return by_study, f"Of {len(names):,} readings, {count:,} matched a study of the label table by its path."
