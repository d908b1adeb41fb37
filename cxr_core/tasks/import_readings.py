"""What people saw who read the images -> a set of readings of a source, keyed by the source's own label rows.

One file a reader, or one with a column that names the reader. A second reader of the same rows is a second reader; the
same reader on the same row again is refused unless it is to be replaced.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from cxr_core.errors import ExistsError, TableError, UsageError
from cxr_core.schema import INTEGER_KEYS, KEY_COLUMNS, LABELS, READER_COLUMN
from cxr_core.sources.importing.identifiers import load_identifiers
from cxr_core.sources.importing.mapping import NOTHING_SAID, Mapping
from cxr_core.sources.importing.reading_rows import NOT_READ, ReadingRows, reading_rows
from cxr_core.sources.rebuilt_folder import only_builder
from cxr_core.sources.registry import ready_source
from cxr_core.tasks.import_labels import Tell, untold
from cxr_core.warehouse.parquet import write_readings

DEFAULT_SET = "readers"


@dataclass(frozen=True)
class ImportedReadings:
    """What became of an import: rows `read`, `written`, `refused` for a bad cell, `unmatched` without a label row."""

    set: str
    table: Path
    read: int
    written: int
    refused: int
    unmatched: int
    readers: list[str]
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return what `import readings --json` prints."""
        return {
            "read": self.read,
            "written": self.written,
            "refused": self.refused,
            "unmatched": self.unmatched,
            "readers": self.readers,
            "set": self.set,
            "table": str(self.table),
            "notes": self.notes,
        }


def import_readings(
    source_name: str,
    files: Sequence[Path],
    set_name: str = DEFAULT_SET,
    reader: str | None = None,
    replace: bool = False,
    skip_bad_rows: bool = False,
    columns: dict[str, str] | None = None,
    tell: Tell = untold,
    mapping: Mapping = NOTHING_SAID,
) -> ImportedReadings:
    """Add files of readings to a set of a source; all rows of all files, or none.

    Args:
        source_name: the source whose label rows name the images and studies.
        files: tables with a path, DICOM id or study column and labels.
        set_name: the set; it is made when it does not exist.
        reader: whose a file is that names no reader; by default the file's own name.
        replace: whether readings of the same reader on the same row are replaced.
        skip_bad_rows: whether rows with a bad cell are left out.
        columns: corrections of the guessed mapping, our name -> the file's column (`""`: none).
        tell: called with the share that is done, from 0 to 1, and what is going on.
        mapping: what the user says of the files beside their columns.

    Raises:
        TableError: a file is damaged, has a cell that means nothing, matches no label row, holds no verdict, or a
            reader says two things of one row.
        UndecidedError: a file can be read in two ways.
        ExistsError: a reader has read a row of the set already, and `replace` was not said.
        UsageError: the source has no labels, or a name is not legal.
    """
    source = ready_source(source_name)
    path = source.readings_path(set_name)
    if set_name in source.warehouse().reading_sets() and not path.is_file():
        raise ExistsError(f"The set {set_name} of {source_name} lies elsewhere. Choose another --set name.")
    if not source.tables.labels:
        raise UsageError(
            f"The source {source_name} has no label table, so nothing tells what was read. Import its labels first."
        )
    tell(0.1, "Reading the label table")
    labels = source.warehouse().labels()[[*KEY_COLUMNS]]
    known, said = load_identifiers(source.folder), mapping.with_columns(columns)
    found: list[ReadingRows] = []
    for number, file in enumerate(files):
        tell(0.2 + 0.6 * number / len(files), f"Reading {Path(file).name}")
        found.append(reading_rows(Path(file), labels, known, said, reader, skip_bad_rows))
    rows = _once(pd.concat([one.rows for one in found], ignore_index=True))
    tell(0.9, "Writing the table")
    with only_builder(source.folder):  # a reader who is imported at the same time is not lost
        write_readings(path, _merged(path, rows, replace))
    counts = [sum(getattr(one, name) for one in found) for name in ("read", "refused", "unmatched")]
    notes = [note for one in found for note in one.notes]
    readers = sorted(rows[READER_COLUMN].unique())
    return ImportedReadings(set_name, path, counts[0], len(rows), counts[1], counts[2], readers, notes)


def _once(rows: pd.DataFrame) -> pd.DataFrame:
    """Return each reader's row once.

    Raises:
        TableError: a reader says two things of one row.
    """
    different = rows.drop_duplicates()
    twice = different[different.duplicated(["path", READER_COLUMN])]
    if len(twice):
        reader, path = twice[READER_COLUMN].iloc[0], twice["path"].iloc[0]
        raise TableError(
            f"The reader {reader!r} says two different things of {path!r}. Leave one of the rows in the file, or name "
            "two readers."
        )
    integers = {name: different[name].astype("int64") for name in INTEGER_KEYS if name != "view"}
    view = different["view"].astype("Int64").mask(different["view"] == -1)
    return different.assign(**integers, view=view).reset_index(drop=True)


def _merged(path: Path, rows: pd.DataFrame, replace: bool) -> pd.DataFrame:
    """Return the rows beside those that are in the set already; a label that nobody read is NULL."""
    present = pq.read_table(path).to_pandas() if path.is_file() else pd.DataFrame(columns=[*KEY_COLUMNS, READER_COLUMN])
    pairs = pd.MultiIndex.from_frame(rows[["path", READER_COLUMN]])
    again = pd.MultiIndex.from_frame(present[["path", READER_COLUMN]]).isin(pairs)
    if again.any() and not replace:
        first = present[again].iloc[0]
        raise ExistsError(
            f"{path.stem} has {int(again.sum()):,} of these readings already, first that of {first[READER_COLUMN]!r} "
            f"on {first['path']!r}. Use --replace to replace them."
        )
    kept = present[~again]
    both = pd.concat([kept, rows], ignore_index=True) if len(kept) else rows
    labels = {}
    for label in LABELS:
        codes = both[label] if label in both else pd.Series(NOT_READ, index=both.index)
        labels[label] = codes.astype("Int64").mask(codes.isna() | (codes == NOT_READ).fillna(False))
    view = both["view"].astype("Int64")
    return both[[*KEY_COLUMNS, READER_COLUMN]].assign(view=view, **labels)
