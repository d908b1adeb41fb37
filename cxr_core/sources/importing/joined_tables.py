"""Files that belong together -> one table: the split beside the labels, the images beside their reports.

NIH lists its splits in text files without a header, CheXpert-Plus keeps its labels apart from what it says of the
images, Indiana its reports apart from the images, RSNA its classes apart from the boxes.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from cxr_core.errors import TableError
from cxr_core.sources.importing.layouts import Layout
from cxr_core.sources.importing.row_places import dataset_of_list
from cxr_core.sources.importing.spelling import first_guess, normalised
from cxr_core.sources.importing.text_table import TextTable
from cxr_core.words import agreeing, counted

_SPLIT = "split"
#: layout -> the column (normalised) by which its files are joined.
_JOINED_BY = {"chexpert-plus": "path_to_image", "indiana": "uid", "rsna": "patientid"}


def together(tables: Sequence[TextTable], layout: Layout, notes: list[str]) -> list[TextTable]:
    """Return the tables to read one by one, those that only say more of others' rows joined to them."""
    rest = [table for table in tables if not _are_boxes(table, notes)]
    lists = [table for table in rest if len(table.columns) == 1 and len(rest) > 1]
    main = [table for table in rest if table not in lists]
    if not main:
        raise TableError(f"None of the files has labels: {', '.join(table.name for table in tables)[:200]}.")
    if lists:
        main = [_with_lists(table, lists, notes) for table in main]
    key = _JOINED_BY.get(layout.name)
    if key is None or len(main) == 1:
        return main
    return [_joined(main, key, layout, notes)]


def _are_boxes(table: TextTable, notes: list[str]) -> bool:
    """Say whether a file holds the boxes of NIH, which say where a finding is and not whether there is one."""
    names = {normalised(name) for name in table.columns}
    boxes = "finding_label" in names and any(name.startswith("bbox") for name in names)
    if boxes:
        notes.append(f"{table.name} holds boxes, which are not used: the labels say what is on the images.")
    return boxes


def _with_lists(table: TextTable, lists: Sequence[TextTable], notes: list[str]) -> TextTable:
    """Return a table with a column that says in which of the lists (a file of names each) its images stand."""
    path = first_guess(table.columns).roles.get("path")
    if path is None:
        raise TableError(f"{table.name} must have a column of images, as {lists[0].name} lists some.")
    dataset: dict[str, str] = {}
    for one in lists:
        (first, names), word = next(iter(one.columns.items())), dataset_of_list(one.name)
        listed = [*([first] if "." in first else []), *names.to_pylist()]
        dataset |= {name: word for name in listed if name}
        notes.append(f"{one.name} puts {counted(len(listed), 'image')} in {word}.")
    told = pa.array([dataset.get(name or "") for name in table.columns[path].to_pylist()], pa.string())
    return _with(table, {_SPLIT: told})


def _joined(tables: Sequence[TextTable], key: str, layout: Layout, notes: list[str]) -> TextTable:
    """Return the first table that lists images, with the columns of the others by a key."""
    order = sorted(tables, key=lambda table: _rank(table, layout))
    main, others = order[0], order[1:]
    for other in others:
        own, theirs = _key(main, key), _key(other, key)
        places = {name: place for place, name in reversed(list(enumerate(other.columns[theirs].to_pylist())))}
        found = [places.get(name) for name in main.columns[own].to_pylist()]
        rows = pa.array(found, pa.int64())
        missing = rows.null_count
        if missing == len(rows):
            raise TableError(f"No {own} of {main.name} is in {other.name}. Check that the files belong together.")
        if missing:
            notes.append(f"{counted(missing, 'row')} of {main.name} {agreeing(missing, 'has')} no row in {other.name}.")
        more = {name: column.take(rows) for name, column in other.columns.items() if name not in main.columns}
        main = _with(main, more)
    return main


def _rank(table: TextTable, layout: Layout) -> tuple[bool, int]:
    """Return what puts the table of the images before the others: it has their names, and most rows."""
    names = {normalised(name) for name in table.columns}
    return layout.columns.get("path", "") not in names, -table.rows


def _key(table: TextTable, key: str) -> str:
    found = next((name for name in table.columns if normalised(name) == key), None)
    if found is None:
        raise TableError(f"{table.name} must have the column {key}, by which the files belong together.")
    return found


def _with(table: TextTable, columns: dict[str, pa.Array]) -> TextTable:
    lines: np.ndarray | None = table.lines
    return TextTable(table.name, {**table.columns, **columns}, table.rows, lines, table.decimal, table.recognised)
