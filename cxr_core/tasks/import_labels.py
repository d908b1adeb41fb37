"""Writing imported labels into a source: all rows or none, and nothing that is there is lost unless asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as replace_fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cxr_core.atomic import write_text
from cxr_core.caller import ADMIN, require
from cxr_core.errors import ExistsError, TableError, UndecidedError, UsageError
from cxr_core.journal import note_deed
from cxr_core.schema import KEY_COLUMNS, LABELS, check_name
from cxr_core.settings import config_path, configured_sources
from cxr_core.sources.importing.choices import ImportChoices, LabelRows
from cxr_core.sources.importing.identifiers import Identifiers, load_identifiers
from cxr_core.sources.importing.kept_mappings import keep_mapping, with_offer
from cxr_core.sources.importing.label_rows import label_rows
from cxr_core.sources.importing.layouts import LAYOUT_WORDS, LAYOUTS
from cxr_core.sources.importing.reading_table import BY_HAND, BY_READERS, by_readers, hand_labelled, merged_readings
from cxr_core.sources.importing.text_table import ENDINGS, read_text_table
from cxr_core.sources.rebuilt_folder import only_builder
from cxr_core.sources.registry import DEMO, SOURCE_FILE, source_folder
from cxr_core.warehouse.parquet import write_readings, write_table
from cxr_core.words import counted

__all__ = ["LAYOUTS", "LAYOUT_WORDS", "ImportChoices", "ImportedLabels", "import_labels"]

TABLE = "labels.parquet"
TABLE_ENDINGS = ENDINGS
Tell = Callable[[float, str], object]
_SOURCE_TOML = '# Made by an import.\nkind = "local"\n'


def untold(_share: float, _what: str) -> None:
    """Tell nobody how far an import is."""


@dataclass(frozen=True)
class ImportedLabels:
    """What became of an import: rows `read`, `written`, `refused` for a bad cell; `notes` say what was assumed.

    `patients_in_two_sets` counts, over the whole table, the patients of whom more than one data set has images.
    """

    source: str
    table: Path
    layout: str
    read: int
    written: int
    refused: int
    notes: list[str] = field(default_factory=list)
    patients_in_two_sets: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return what `import labels --json` prints."""
        return {
            "read": self.read,
            "written": self.written,
            "refused": self.refused,
            "source": self.source,
            "table": str(self.table),
            "layout": self.layout,
            "patients_in_two_sets": self.patients_in_two_sets,
            "notes": self.notes,
        }


def import_labels(
    source: str,
    files: Sequence[Path],
    choices: ImportChoices,
    replace: bool = False,
    columns: dict[str, str] | None = None,
    tell: Tell = untold,
) -> ImportedLabels:
    """Add the rows of label files to a source's label table; a source that does not exist is made.

    Args:
        source: a source of the workspace.
        files: files that belong together, of one layout.
        choices: what the user says beyond them.
        replace: whether rows of paths that are there already are replaced.
        columns: corrections of the guessed mapping, our name -> the file's column (`""`: none).
        tell: called with the share that is done, from 0 to 1, and what is going on.

    Raises:
        TableError: a file is damaged, lacks a column, or (unless bad rows are skipped) has a cell that means nothing.
        UndecidedError: a file can be read in two ways; the error has the question and what can be answered.
        ExistsError: a path is there already, and `replace` was not said.
        UsageError: the source's tables are not the product's to write, or nothing says the data set or view.
    """
    require(ADMIN, "import labels")
    folder = importable_folder(source)
    choices = replace_fields(choices, mapping=choices.mapping.with_columns(columns)).checked()
    tables = []
    for number, file in enumerate(files):
        tell(0.4 * number / len(files), f"Reading {Path(file).name}")
        tables.append(read_text_table(Path(file), choices.mapping.file))
    tell(0.4, "Checking every cell")
    try:
        rows = label_rows(tables, choices)
    except UndecidedError as question:
        raise with_offer(question, folder, tables) from None
    tell(0.8, "Writing the table")
    done = write_label_rows(source, folder, rows, replace)
    keep_mapping(folder, tables, choices)
    tell(1.0, "Done")
    return done


def importable_folder(source: str) -> Path:
    """Return the folder of a source whose label table the product may write, else raise `UsageError`."""
    folder = source_folder(check_name("source", source))
    if source == DEMO:
        raise UsageError("Labels cannot be imported into the demo, which is built. Name another --source.")
    if source in configured_sources():
        raise UsageError(
            f"The source {source} is written in {config_path()}; name its tables there, or another --source."
        )
    return folder


def write_label_rows(source: str, folder: Path, rows: LabelRows, replace: bool) -> ImportedLabels:
    """Merge rows into the label table of a source's folder, which stays as it was until all is well.

    Imports into one source that come at once are merged one after the other, so that none loses the rows of another.
    """
    with only_builder(folder):
        return _write_label_rows(source, folder, rows, replace)


def _write_label_rows(source: str, folder: Path, rows: LabelRows, replace: bool) -> ImportedLabels:
    table = folder / TABLE
    present = _present(table)
    identifiers = load_identifiers(folder)
    frame = _numbered(rows.frame, present, identifiers)
    _check_twice(frame)
    kept = _kept(present, frame, replace, table)
    merged = frame if kept is None else pd.concat([kept, frame], ignore_index=True)
    shared = patients_in_two_sets(merged)
    readings, told = _readings(folder, rows.readings, merged, identifiers, replace)
    # The map goes first: whoever is killed in between leaves integers that nobody has, and no row without its name.
    identifiers.save(folder)
    write_table(table, _ordered(merged), unstated=True)
    note_deed("labels imported", source=source, rows=len(frame))
    if not (folder / SOURCE_FILE).is_file():
        write_text(folder / SOURCE_FILE, _SOURCE_TOML)
    for path, read in readings.items():
        write_readings(path, read)
    notes = [*rows.notes, *told]
    if shared:
        found = counted(shared, "patient is", "patients are")
        notes.append(f"{found} in more than one data set, so they are not independent.")
    return ImportedLabels(source, table, rows.layout, rows.read, len(frame), rows.refused, notes, shared)


def _readings(
    folder: Path, readings: pd.DataFrame | None, labels: pd.DataFrame, identifiers: Identifiers, replace: bool
) -> tuple[dict[Path, pd.DataFrame], list[str]]:
    """Return the set of readings that came with the labels as it will be, and a sentence on it."""
    if readings is None:
        return {}, []
    keys = labels[[*KEY_COLUMNS]]
    of_images = "path" in readings
    rows, sentence = by_readers(readings, keys) if of_images else hand_labelled(readings, keys, identifiers)
    path = folder / "readings" / f"{BY_READERS if of_images else BY_HAND}.parquet"
    return {path: merged_readings(path, rows, replace)}, [sentence]


def _present(table: Path) -> pd.DataFrame | None:
    if not table.is_file():
        return None
    try:
        frame = pq.read_table(table).to_pandas()
    except (OSError, ValueError) as error:
        raise TableError(f"{table} must be a readable Parquet file. Received: {error}. Restore it.") from error
    return frame.assign(**{name: frame[name].astype("Int64") for name in ("view", *LABELS)})


def _numbered(frame: pd.DataFrame, present: pd.DataFrame | None, identifiers: Identifiers) -> pd.DataFrame:
    """Return the rows with integers for patients and studies, and images numbered from 1 within a study."""
    taken = {kind: () if present is None else present[kind].unique().tolist() for kind in ("patient", "study")}
    kinds = ("patient", "study")
    numbers = {kind: identifiers.numbers(kind, pa.array(frame[kind]), taken[kind]) for kind in kinds}
    frame = frame.assign(**numbers, view=_or_null(frame["view"]))
    unnumbered = frame["image"] == -1
    if not unnumbered.any():
        return frame
    counted = frame[unnumbered].groupby(["patient", "study"]).cumcount() + 1
    former = _former_images(frame, present)
    return frame.assign(image=np.where(unnumbered, counted.reindex(frame.index, fill_value=0) + former, frame["image"]))


def _or_null(view: pd.Series) -> pd.Series:
    codes = view.astype("Int64")
    return codes.mask(codes == -1)


def _former_images(frame: pd.DataFrame, present: pd.DataFrame | None) -> np.ndarray:
    """Return the largest image number (n,) that each row's study has already, among paths that stay."""
    if present is None:
        return np.zeros(len(frame), np.int64)
    staying = present[~present["path"].isin(frame["path"])]
    largest = staying.groupby(["patient", "study"])["image"].max().rename("largest").reset_index()
    joined = frame[["patient", "study"]].merge(largest, how="left", on=["patient", "study"])
    return joined["largest"].fillna(0).to_numpy(np.int64)


def _check_twice(frame: pd.DataFrame) -> None:
    paths = pa.array(frame["path"])
    if len(pc.unique(paths)) < len(paths):
        repeated = frame.loc[frame["path"].duplicated(), "path"]
        raise TableError(f"Each path must stand once in the files. Received twice: {repeated.iloc[0]!r}.")


def _kept(present: pd.DataFrame | None, frame: pd.DataFrame, replace: bool, table: Path) -> pd.DataFrame | None:
    """Return the rows that are there and stay."""
    if present is None:
        return None
    again = present["path"].isin(frame["path"])
    if again.any() and not replace:
        first = present.loc[again, "path"].iloc[0]
        raise ExistsError(
            f"{table} has {int(again.sum()):,} of these paths already, first {first!r}. Use --replace to replace them."
        )
    return present[~again]


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    further = [name for name in frame.columns if name not in (*KEY_COLUMNS, *LABELS)]
    return frame[[*KEY_COLUMNS, *LABELS, *further]]


def patients_in_two_sets(rows: pd.DataFrame) -> int:
    """Count the patients in more than one data set, where a figure on one is no test of the other."""
    return int((rows.groupby("patient")["dataset"].nunique() > 1).sum())
