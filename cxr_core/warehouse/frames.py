"""From what a warehouse returns (Arrow) to the frames of the engine: names instead of codes, the same types always."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cxr_core.errors import TableError
from cxr_core.schema import DATASETS, INTEGER_KEYS, KEY_COLUMNS, LABELS, VALUES, VIEWS, dataset_code, view_code
from cxr_core.warehouse.questions import ROWS_OF_TABLE, STRANGE

#: What stands in an int64 column where the table says nothing.
MISSING = -1
#: The `view` of a row of `counts` that covers all views.
ALL_VIEWS = "all"


def distribution_frame(table: pa.Table) -> pd.DataFrame:
    """Return `label`, `value`, `dataset` (names) and `images` (int64): every combination, zeros included.

    An image whose label is NULL is counted at no value of that label.
    """
    if "value" not in table.column_names:
        table = taken_apart(table)
    datasets = present_datasets(table)
    stated = table.filter(pc.is_valid(table["value"]))
    values = names(stated, "value", VALUES)
    found = dict(zip(zip(stated["label"].to_pylist(), values, names(stated, "dataset", DATASETS), strict=True),
                     stated["images"].to_pylist(), strict=True))  # fmt: skip
    rows = [(label, value, dataset) for label in LABELS for value in VALUES for dataset in datasets]
    frame = pd.DataFrame(rows, columns=["label", "value", "dataset"], dtype="str")
    return frame.assign(images=np.array([found.get(row, 0) for row in rows], dtype=np.int64))


def taken_apart(table: pa.Table) -> pa.Table:
    """Return `label`, `value`, `dataset`, `images` of the counts that stand side by side, one row a data set."""
    rows: list[tuple[str, float | None, float | None, int]] = []
    for counts in table.to_pylist():
        for label in LABELS:
            rows += [
                (label, float(code), counts["dataset"], counts[f"{label}_{code}"] or 0) for code in range(len(VALUES))
            ]
            if counts[f"{label}{STRANGE}"] is not None:
                rows.append((label, counts[f"{label}{STRANGE}"], counts["dataset"], 0))
    columns = list(zip(*rows, strict=True)) or [()] * 4
    return pa.table(
        {
            "label": pa.array(columns[0], pa.string()),
            "value": pa.array(columns[1], pa.float64()),
            "dataset": pa.array(columns[2], pa.float64()),
            "images": pa.array(columns[3], pa.int64()),
        }
    )


def counts_frame(table: pa.Table) -> pd.DataFrame:
    """Return `dataset`, `view` (names, or `all`) and `images`, `studies`, `patients` (int64), in schema order.

    Study rows of no single view count only under `all`.
    """
    every = pc.equal(table["every_view"], 1)
    table = table.filter(pc.or_(every, pc.is_valid(table["view"])))
    views = pc.if_else(pc.equal(table["every_view"], 1), len(VIEWS), table["view"])
    columns = {name: integers(table, name) for name in ("images", "studies", "patients")}
    frame = pd.DataFrame(
        {
            "dataset": pd.array(names(table, "dataset", DATASETS), dtype="str"),
            "view": pd.array(_names(views.to_pylist(), (*VIEWS, ALL_VIEWS), "view"), dtype="str"),
            **columns,
        }
    )
    order = frame.assign(
        dataset=frame["dataset"].map(DATASETS.index), view=frame["view"].map((*VIEWS, ALL_VIEWS).index)
    ).sort_values(["dataset", "view"])
    return frame.loc[order.index].reset_index(drop=True)


def paths_are_unique(counts: pa.Table, view: str | None) -> bool:
    """Say whether the answer to `counts` shows that no path of a view (None: of any) stands twice in its data set.

    A study row counts as no image, so that it leaves the question open.
    """
    every = pc.equal(counts["every_view"], 1)
    asked = every if view is None else pc.and_(pc.invert(every), pc.equal(counts["view"], view_code(view)))
    rows = counts.filter(pc.fill_null(asked, False))
    return rows.num_rows > 0 and rows["images"].equals(rows["label_rows"].cast(rows["images"].type))


def tables_with(counts: pa.Table, dataset: str) -> list[int]:
    """Return the places of the label tables that have rows of a data set, by the answer to `counts` over several."""
    rows = counts.filter(pc.and_(pc.equal(counts["every_view"], 1), pc.equal(counts["dataset"], dataset_code(dataset))))
    places = [name for name in counts.column_names if name.startswith(ROWS_OF_TABLE)]
    return [place for place, name in enumerate(places) if (pc.sum(rows[name]).as_py() or 0) > 0]


def cooccurrence_frame(table: pa.Table) -> pd.DataFrame:
    """Return the square of image counts (int64), labels as index and columns; the diagonal is each label's own."""
    square = np.zeros((len(LABELS), len(LABELS)), dtype=np.int64)
    for row in table.to_pylist():
        square[LABELS.index(row["label"]), LABELS.index(row["other"])] = row["images"]
    labels = pd.Index(LABELS, dtype="str")
    return pd.DataFrame(square, index=labels, columns=labels)


def labels_frame(table: pa.Table) -> pd.DataFrame:
    """Return label rows sorted by path: keys and labels as int64 (-1: not said), further columns as they are."""
    columns = {**key_columns(table, KEY_COLUMNS), **{label: codes(table, label, len(VALUES)) for label in LABELS}}
    further = [name for name in table.column_names if name not in columns]
    return by_path(pd.DataFrame({**columns, **{name: table[name].to_pandas() for name in further}}))


def predictions_frame(table: pa.Table) -> pd.DataFrame:
    """Return predictions sorted by path: keys as int64 (`view` -1: not said), labels as float64 (NaN for NULL)."""
    values = {name: floats(table, name) for name in table.column_names if name in LABELS}
    return by_path(pd.DataFrame({**key_columns(table, KEY_COLUMNS), **values}))


def prediction_rows(table: pa.Table) -> pa.Table:
    """Return predictions in the types of the schema: string, int64 and float64; what is NULL stays so.

    Raises:
        TableError: a key has a NULL or is no whole number (a study row's `view` may be NULL).
    """
    columns = {"path": table["path"].cast(pa.string())}
    for key in INTEGER_KEYS:
        columns[key] = table[key].cast(pa.int64()) if key == "view" else pa.chunked_array([integers(table, key)])
    return pa.table(
        {**columns, **{name: table[name].cast(pa.float64()) for name in LABELS if name in table.schema.names}}
    )


def truth_frame(table: pa.Table) -> pd.DataFrame:
    """Return `path` and the 14 labels as int64, 0 absent or 1 present."""
    return by_path(
        pd.DataFrame({**key_columns(table, ("path",)), **{label: codes(table, label, 2) for label in LABELS}})
    )


def present_datasets(table: pa.Table) -> tuple[str, ...]:
    """Return the names of the data sets in a table's `dataset` column, in schema order."""
    found = set(names(table, "dataset", DATASETS))
    return tuple(name for name in DATASETS if name in found)


def names(table: pa.Table, column: str, known: tuple[str, ...]) -> list[str]:
    """Return the names of a column's codes.

    Raises:
        TableError: a code has no name.
    """
    return _names(table[column].to_pylist(), known, column)


def codes(table: pa.Table, column: str, count: int) -> np.ndarray:
    """Return a column of codes as int64, with -1 for NULL.

    Raises:
        TableError: a code is not between 0 and `count` - 1.
    """
    ends = pc.min_max(table[column]).as_py()
    if pa.types.is_integer(table[column].type) and (ends["min"] or 0) >= 0 and (ends["max"] or 0) < count:
        return _filled(table[column], MISSING).cast(pa.int64()).to_numpy()
    stored = pc.drop_null(table[column]).to_numpy()
    wrong = stored[~np.isin(stored, range(count))]
    if wrong.size:
        name = column.removeprefix("true_")  # as the table has it, and not the question
        raise TableError(f"The column {name} must be 0 to {count - 1}. Received: {wrong[0]:g}. Correct the table.")
    return _filled(table[column], MISSING).cast(pa.int64()).to_numpy()


def integers(table: pa.Table, column: str) -> np.ndarray:
    """Return a column as int64.

    Raises:
        TableError: the column has a NULL, or cannot be int64.
    """
    if table[column].null_count:
        raise TableError(f"The column {column} must have a value in every row. Received: NULL. Correct the table.")
    try:
        return table[column].cast(pa.int64()).to_numpy()
    except pa.ArrowException as error:
        raise TableError(f"The column {column} must be whole numbers. Received: {error}. Correct the table.") from error


def _names(received: Iterable[float | None], known: tuple[str, ...], column: str) -> list[str]:
    found = list(received)
    for code in found:
        if code not in range(len(known)):
            raise TableError(
                f"The column {column} must be 0 to {len(known) - 1} ({', '.join(known)}). "
                f"Received: {'NULL' if code is None else f'{code:g}'}. Correct the table."
            )
    return [known[int(code)] for code in found if code is not None]


def key_columns(table: pa.Table, keys: Iterable[str]) -> dict[str, np.ndarray | pd.api.extensions.ExtensionArray]:
    """Return key columns in the types of the engine: `path` as text, the others as int64 (`view` -1: not said)."""
    columns: dict[str, np.ndarray | pd.api.extensions.ExtensionArray] = {}
    for key in keys:
        if key == "path":
            columns[key] = pd.array(table[key].to_pandas(), dtype="str")
        elif key == "view":
            columns[key] = codes(table, key, len(VIEWS))
        elif key in INTEGER_KEYS:
            columns[key] = integers(table, key)
    return columns


def floats(table: pa.Table, column: str) -> np.ndarray:
    """Return a column as float64, NaN for NULL."""
    return _filled(table[column].cast(pa.float64()), float("nan")).to_numpy()


def _filled(column: pa.ChunkedArray, value: float) -> pa.ChunkedArray:
    return pc.fill_null(column, value) if column.null_count else column


def by_path(frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows sorted by path."""
    # Rows of one path come in any order; all that is known of them puts them into one.
    unique = frame["path"].is_unique
    known = [name for name in frame.columns if name in KEY_COLUMNS or name.endswith(LABELS)]
    return frame.sort_values("path" if unique else ["path", *known], kind="stable", ignore_index=True)
