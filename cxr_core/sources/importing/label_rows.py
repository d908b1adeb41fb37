"""Files of label tables -> rows of our label table, whatever layout they have.

`notebook`: our own columns, with label codes 0 to 3. `chexpert`: one file with a path (or, for whole studies, a `Study`
column) and labels that are blank, 0, -1 or 1; any other file with columns like these is read in the same way.
`mimic-cxr-jpg`: labels by study in one file, the images and their views in a second, the split in a third, or all of
it in one. The others are in `layouts`.
"""

from collections.abc import Sequence

import pandas as pd

from cxr_core.errors import UsageError
from cxr_core.schema import LABELS
from cxr_core.sources.importing.choices import ImportChoices, LabelRows
from cxr_core.sources.importing.joined_tables import together
from cxr_core.sources.importing.layouts import Layout, columns_of, known_layout, named_layout
from cxr_core.sources.importing.mimic import mimic_rows
from cxr_core.sources.importing.one_file import one_file_rows
from cxr_core.sources.importing.spelling import ColumnMapping, first_guess, guess_mapping
from cxr_core.sources.importing.text_table import TextTable

_MIMIC = "mimic-cxr-jpg"
_MIMIC_KEYS = {"subject_id", "study_id"}


def layout_of(tables: Sequence[TextTable]) -> str:
    """Return the layout that the columns of the files show."""
    names = {name for table in tables for name in table.columns}
    known = [layout for table in tables if (layout := known_layout(table.columns))]
    if known:
        return known[0].name
    if len(tables) > 1 and any("dicom" in first_guess(table.columns).roles for table in tables):
        return _MIMIC
    if all({"path", "dataset", *LABELS} <= set(table.columns) for table in tables):
        return "notebook"
    return _MIMIC if names >= _MIMIC_KEYS and "path" not in map(str.lower, names) else "chexpert"


def label_rows(tables: Sequence[TextTable], choices: ImportChoices) -> LabelRows:
    """Return the rows of files that belong together.

    Raises:
        TableError: a column is missing or stands twice, or (unless bad rows are skipped) a cell means nothing.
        UndecidedError: a file can be read in two ways.
        UsageError: nothing says which data set or view the rows belong to.
    """
    chosen = choices.checked()
    name = layout_of(tables) if chosen.layout == "auto" else chosen.layout
    layout = named_layout(name)
    _check_columns(tables, chosen)
    merged = len(tables) == 1 and "dicom_id" in tables[0].columns
    if name == _MIMIC and not merged:
        return mimic_rows(tables, [column_mapping(table, layout, chosen) for table in tables], chosen)
    notes: list[str] = []
    tables = together(tables, layout, notes)
    parts = [one_file_rows(table, column_mapping(table, layout, chosen), name, layout, chosen) for table in tables]
    frames = [part.frame for part in parts]
    frame = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    notes += dict.fromkeys(note for part in parts for note in part.notes)
    kept = [part.readings for part in parts if part.readings is not None]
    readings = pd.concat(kept, ignore_index=True) if kept else None
    return LabelRows(frame, name, sum(p.read for p in parts), sum(p.refused for p in parts), 0, notes, readings)


def column_mapping(table: TextTable, layout: Layout, choices: ImportChoices) -> ColumnMapping:
    """Return which column of a file is which: as the user says, as the layout has it, as the names spell it."""
    # What was said of several files concerns those that have the column.
    said = {ours: theirs for ours, theirs in choices.mapping.columns.items() if not theirs or theirs in table.columns}
    known = {ours: theirs for ours, theirs in columns_of(layout, table.columns).items() if theirs not in said.values()}
    return guess_mapping(table.columns, table.name, known | said, choices.mapping.findings)


def _check_columns(tables: Sequence[TextTable], choices: ImportChoices) -> None:
    names = {name for table in tables for name in table.columns}
    for ours, theirs in choices.mapping.columns.items():
        if theirs and theirs not in names:
            raise UsageError(
                f"No file has a column {theirs!r} to map to {ours}. There are: {', '.join(sorted(names))[:300]}."
            )
