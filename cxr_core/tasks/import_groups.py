"""What another table tells of patients, studies or images -> columns of a source by which its figures can be split."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from cxr_core.caller import ADMIN, require
from cxr_core.errors import ExistsError, TableError, UsageError
from cxr_core.journal import note_deed
from cxr_core.schema import KEY_COLUMNS
from cxr_core.sources.importing.group_joins import KEYS
from cxr_core.sources.importing.group_rows import GroupRows, check_key, group_rows
from cxr_core.sources.importing.identifiers import load_identifiers
from cxr_core.sources.importing.mapping import NOTHING_SAID, Mapping
from cxr_core.sources.rebuilt_folder import only_builder
from cxr_core.sources.registry import source_with_labels
from cxr_core.sources.source import own_groups
from cxr_core.tasks.import_labels import Tell, untold
from cxr_core.warehouse.parquet import write_groups

__all__ = ["KEYS", "ImportedGroups", "check_key", "import_groups"]


@dataclass(frozen=True)
class ImportedGroups:
    """What became of an import: rows `read`, `refused` for a bad cell, `matched` and `unmatched` with label rows.

    `images` is the number of label rows that got a value in one of the `columns`.
    """

    source: str
    table: Path
    by: str
    columns: tuple[str, ...]
    read: int
    refused: int
    matched: int
    unmatched: int
    images: int
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return what `import groups --json` prints."""
        return {
            "read": self.read,
            "matched": self.matched,
            "unmatched": self.unmatched,
            "columns": list(self.columns),
            "refused": self.refused,
            "by": self.by,
            "images": self.images,
            "source": self.source,
            "table": str(self.table),
            "notes": self.notes,
        }


def import_groups(
    source_name: str,
    file: Path,
    by: str | None = None,
    replace: bool = False,
    skip_bad_rows: bool = False,
    columns: dict[str, str] | None = None,
    tell: Tell = untold,
    mapping: Mapping = NOTHING_SAID,
) -> ImportedGroups:
    """Keep the columns of a table beside the label rows of a source, by which its images can then be split.

    Args:
        source_name: the source, whose label rows name the patients, studies and images.
        file: a table with a column that names one of these, and others that tell something of them.
        by: a key of `KEYS`; None for the finest that the file has a column of.
        replace: whether values that are there already are replaced.
        skip_bad_rows: whether rows with a bad cell are left out.
        columns: corrections of the guessed mapping, our name -> the file's column (`""`: none).
        tell: called with the share that is done, from 0 to 1, and what is going on.
        mapping: what the user says of the file beside its columns.

    Raises:
        TableError: the file is damaged, tells nothing, names no label row, or has a cell that means nothing.
        UndecidedError: it can be read in two ways, or says two things of one patient, study or image.
        ExistsError: a value is there already, and `replace` was not said.
        UsageError: the source has no labels.
        UnknownNameError: there is no such source or key.
    """
    require(ADMIN, "import groups")
    source = source_with_labels(source_name, "groups")
    if not source.tables.labels:
        raise UsageError(
            f"The source {source_name} has no label table, so nothing tells whose the groups are. "
            "Import its labels first."
        )
    tell(0.1, "Reading the label table")
    warehouse = source.warehouse()
    labels = warehouse.labels()[[*KEY_COLUMNS]]
    if labels["path"].duplicated().any():
        raise TableError("The label tables must have each path once to be split by groups. Remove the repeated rows.")
    tell(0.3, f"Reading {Path(file).name}")
    said = mapping.with_columns(columns)
    found = group_rows(Path(file), labels, load_identifiers(source.folder), said, by, skip_bad_rows)
    path = own_groups(source.folder)
    _refuse_own_columns(found, warehouse.label_columns(), replace)
    tell(0.9, "Writing the table")
    with only_builder(source.folder):  # columns that are imported at the same time are not lost
        write_groups(path, _merged(path, found, replace))
    note_deed("groups imported", source=source_name, columns=list(found.columns), rows=len(found.rows))
    counts = (found.read, found.refused, found.matched, found.unmatched, len(found.rows))
    return ImportedGroups(source_name, path, found.by, found.columns, *counts, found.notes)


def _refuse_own_columns(found: GroupRows, own: list[str], replace: bool) -> None:
    """Refuse a column that the label tables have themselves, unless it is to stand in its place."""
    shared = [name for name in found.columns if name in own]
    if shared and not replace:
        raise ExistsError(
            f"The label table has a column {shared[0]} of its own. Use --replace to split by the new one instead, or "
            f"choose the columns with --answer keep=NAME."
        )


def _merged(path: Path, found: GroupRows, replace: bool) -> pd.DataFrame:
    """Return the new columns beside those that are there; a value that is there stays, or is replaced."""
    if not path.is_file():
        return found.rows
    present = pq.read_table(path).to_pandas().set_index("path")
    new = found.rows.set_index("path")
    for name in (name for name in found.columns if name in present):
        again = present[name].notna() & new[name].reindex(present.index).notna()
        if again.any() and not replace:
            raise ExistsError(
                f"{int(again.sum()):,} images have a {name} already, the first is {again.idxmax()!r}. "
                "Use --replace to replace it."
            )
        if (present[name].dtype.kind == "f") != (new[name].dtype.kind == "f"):
            present[name], new[name] = _texts(present[name]), _texts(new[name])
    return new.combine_first(present)[[*dict.fromkeys([*present, *new])]].reset_index()


def _texts(column: pd.Series) -> pd.Series:
    """Return a column that was of numbers and is of texts now."""
    if column.dtype.kind != "f":
        return column.astype("object")
    return column.map(lambda number: None if pd.isna(number) else f"{number:g}").astype("object")
