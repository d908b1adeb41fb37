"""What people saw who read the images -> a set of readings of a source, keyed by the source's own label rows.

One file a reader, or one with a column that names the reader. A second reader of the same rows is a second reader; the
same reader on the same row again is refused unless it is to be replaced.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from cxr_core.caller import ADMIN, require
from cxr_core.errors import ExistsError, UsageError
from cxr_core.journal import note_deed
from cxr_core.schema import KEY_COLUMNS, READER_COLUMN
from cxr_core.sources.importing.identifiers import load_identifiers
from cxr_core.sources.importing.mapping import NOTHING_SAID, Mapping
from cxr_core.sources.importing.reading_rows import ReadingRows, reading_rows
from cxr_core.sources.importing.reading_table import merged_readings, read_once
from cxr_core.sources.rebuilt_folder import only_builder
from cxr_core.sources.registry import source_with_labels
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
    require(ADMIN, "import readings")
    source = source_with_labels(source_name, "readings")
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
    rows = read_once(pd.concat([one.rows for one in found], ignore_index=True))
    tell(0.9, "Writing the table")
    with only_builder(source.folder):  # a reader who is imported at the same time is not lost
        write_readings(path, merged_readings(path, rows, replace))
    note_deed("readings imported", source=source_name, set=set_name, rows=len(rows))
    counts = [sum(getattr(one, name) for one in found) for name in ("read", "refused", "unmatched")]
    notes = [note for one in found for note in one.notes]
    readers = sorted(rows[READER_COLUMN].unique())
    return ImportedReadings(set_name, path, counts[0], len(rows), counts[1], counts[2], readers, notes)
