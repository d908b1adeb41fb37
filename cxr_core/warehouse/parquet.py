"""Label, prediction and truth tables as Parquet files: the types of the schema, checked on the way in.

A file is written once and then only ever replaced as a whole, so that any number of processes may read it meanwhile.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cxr_core.atomic import replacing
from cxr_core.errors import TableError
from cxr_core.schema import (
    DATASETS,
    DEFAULT_SCALE,
    INTEGER_KEYS,
    KEY_COLUMNS,
    LABELS,
    READER_COLUMN,
    SCALE_KEY,
    SCALES,
    VALUES,
    VIEWS,
    Verdict,
)
from cxr_core.words import counted

MODEL_KEY = "cxr.model"


@dataclass(frozen=True)
class TableMetadata:
    """What a table says of itself, without its rows.

    `scale` is `logit`, `probability` or `score` and `model` where the predictions come from (both mean something
    only in a prediction table), `columns` the names in file order, `rows` their count.
    """

    scale: str
    model: dict[str, Any]
    columns: tuple[str, ...]
    rows: int

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the table has, in the order of the schema."""
        return tuple(label for label in LABELS if label in self.columns)


def write_table(
    path: Path,
    frame: pd.DataFrame,
    scale: str | None = None,
    model: dict[str, Any] | None = None,
    unstated: bool = False,
) -> None:
    """Write a label table, or (when `scale` or `model` is given) a prediction table, replacing `path` atomically.

    Args:
        path: the file; its folder is made when it is missing.
        frame: the key columns, the labels and whatever else is to be kept after them; its index is dropped.
            A label table has all 14 labels with codes 0 to 3; a prediction table at least one, as float64.
        scale: `logit` (the default of a prediction table), `probability` or `score`.
        model: where the predictions come from (view, policy, u, w, run, recipe), JSON-serialisable.
        unstated: whether a label may be NULL: whoever made an imported table did not look for it.

    Raises:
        TableError: a column is missing or cannot have its type, a path is missing or not unique, or a code is unknown.
    """
    if scale is None and model is None:
        _write(path, _label_table(frame, path, unstated), {})
        return
    if (scale or DEFAULT_SCALE) not in SCALES:
        raise TableError(f"The scale of predictions must be one of {', '.join(SCALES)}. Received: {scale!r}.")
    metadata = {SCALE_KEY: scale or DEFAULT_SCALE, MODEL_KEY: json.dumps(model or {}, allow_nan=False)}
    _write(path, _prediction_table(frame, path), metadata)


def write_truth(path: Path, frame: pd.DataFrame) -> None:
    """Write what was really there (`path` and the 14 labels, 0 absent or 1 present), replacing the file atomically."""
    _require(frame, ("path", *LABELS), path)
    table = _typed(frame, path, pa.int64(), ("path", *LABELS))
    _check_paths(table, path)
    for label in LABELS:
        _check_codes(table, label, 2, path)
    _write(path, table, {})


def write_readings(path: Path, frame: pd.DataFrame) -> None:
    """Write readings (the keys, `reader` and labels as codes of `schema.Verdict`, NULL not read), replacing the file.

    Raises:
        TableError: a column is missing or cannot have its type, or a code is unknown.
    """
    _require(frame, (*KEY_COLUMNS, READER_COLUMN), path)
    labels = tuple(label for label in LABELS if label in frame.columns)
    table = _typed(frame, path, pa.int64(), (*KEY_COLUMNS, READER_COLUMN, *labels))
    for label in labels:
        _check_codes(table, label, max(Verdict) + 1, path, or_null=True)
    _write(path, table, {})


def write_groups(path: Path, frame: pd.DataFrame) -> None:
    """Write further columns of label rows (`path` and texts or numbers, which may be NULL), replacing the file.

    Raises:
        TableError: a path is missing or not unique, or a column holds values of two types.
    """
    table = _typed(frame, path, pa.int64(), ("path",))
    _check_paths(table, path)
    _write(path, table, {})


def read_metadata(path: Path) -> TableMetadata:
    """Read what a table says of itself; the rows are not touched.

    Raises:
        TableError: `path` is missing, is no Parquet file, or has metadata that cannot be understood.
    """
    try:
        footer = pq.read_metadata(path)
        schema = footer.schema.to_arrow_schema()
    except FileNotFoundError as error:
        raise TableError(f"The table {path} does not exist. Check its path, or build it first.") from error
    except (pa.ArrowException, OSError) as error:
        raise TableError(f"{path} must be a readable Parquet file. Received: {_first_line(error)}") from error
    stored = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
    scale = stored.get(SCALE_KEY, DEFAULT_SCALE)
    if scale not in SCALES:
        raise TableError(f"The metadata {SCALE_KEY} of {path} must be one of {', '.join(SCALES)}. Received: {scale!r}.")
    return TableMetadata(scale, _model_of(stored, path), tuple(schema.names), footer.num_rows)


def _model_of(stored: dict[str, str], path: Path) -> dict[str, Any]:
    try:
        model = json.loads(stored.get(MODEL_KEY, "{}"))
    except (ValueError, RecursionError) as error:
        raise TableError(f"The metadata {MODEL_KEY} of {path} must be JSON. Received: {error}.") from error
    if not isinstance(model, dict):
        raise TableError(f"The metadata {MODEL_KEY} of {path} must be a JSON object. Received: {model!r}.")
    return model


def _label_table(frame: pd.DataFrame, path: Path, unstated: bool) -> pa.Table:
    _require(frame, (*KEY_COLUMNS, *LABELS), path)
    table = _typed(frame, path, pa.int64(), (*KEY_COLUMNS, *LABELS))
    _check_keys(table, path)
    for label in LABELS:
        _check_codes(table, label, len(VALUES), path, or_null=unstated)
    return table


def _prediction_table(frame: pd.DataFrame, path: Path) -> pa.Table:
    _require(frame, KEY_COLUMNS, path)
    labels = tuple(label for label in LABELS if label in frame.columns)
    if not labels:
        raise TableError(f"The prediction table {path} must have at least one label column. Received: none.")
    table = _typed(frame, path, pa.float64(), (*KEY_COLUMNS, *labels))
    _check_keys(table, path)
    return table


def _require(frame: pd.DataFrame, columns: Sequence[str], path: Path) -> None:
    if not frame.columns.is_unique:
        twice = sorted(set(frame.columns[frame.columns.duplicated()]))
        raise TableError(f"The columns of {path} must have different names. Received twice: {', '.join(twice)}.")
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise TableError(f"The table {path} must have the columns {', '.join(columns)}. Missing: {', '.join(missing)}.")


def _typed(frame: pd.DataFrame, path: Path, label_type: pa.DataType, fixed: Sequence[str]) -> pa.Table:
    """Return the frame with the columns of the schema first and cast; further columns follow as they are."""
    further = [column for column in frame.columns if column not in fixed]
    types = {"path": pa.string(), **dict.fromkeys(INTEGER_KEYS, pa.int64()), **dict.fromkeys(LABELS, label_type)}
    columns = {}
    for name in (*fixed, *further):
        try:
            columns[name] = _column(frame[name], types.get(name))
        except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
            wanted = types.get(name, "of one type")
            raise TableError(f"The column {name} of {path} must be {wanted}. Received: {_first_line(error)}") from error
    return pa.table(columns)


def _column(values: pd.Series, target: pa.DataType | None) -> pa.Array | pa.ChunkedArray:
    # Predictions keep a NaN as a NaN ("stored as given"); elsewhere a NaN is pandas' way to say NULL.
    keeps_nan = target is not None and pa.types.is_floating(target)
    array = pa.array(values, from_pandas=not keeps_nan)
    return array if target is None else array.cast(target)


def _check_keys(table: pa.Table, path: Path) -> None:
    _check_paths(table, path)
    for key in ("patient", "study", "image", "dataset"):
        if table[key].null_count:
            raise TableError(f"The column {key} of {path} must have a value in every row. {_at(table, table[key])}")
    _check_codes(table, "dataset", len(DATASETS), path)
    # A study row stands for no single image, so it may be of no single view.
    images = table.filter(pc.not_equal(table["image"], 0))
    _check_codes(images, "view", len(VIEWS), path)
    studies = table.filter(pc.and_(pc.equal(table["image"], 0), pc.is_valid(table["view"])))
    _check_codes(studies, "view", len(VIEWS), path)


def _check_paths(table: pa.Table, path: Path) -> None:
    paths = table["path"]
    if paths.null_count:
        lost = counted(paths.null_count, "row")
        raise TableError(f"Every row of {path} must have a path. Received: {lost} without one.")
    if len(pc.unique(paths)) < len(paths):
        counts = pc.value_counts(paths)
        repeated = counts.filter(pc.greater(pc.struct_field(counts, "counts"), 1))
        example = repeated[0]["values"].as_py()
        raise TableError(f"Each path of {path} must be unique. Received {len(repeated)} twice, first {example!r}.")


def _check_codes(table: pa.Table, column: str, count: int, path: Path, or_null: bool = False) -> None:
    """Raise unless every value of `column` is a code from 0 to `count` - 1, or (where that is allowed) NULL."""
    codes = table[column]
    known = pc.fill_null(pc.and_(pc.greater_equal(codes, 0), pc.less(codes, count)), or_null)
    if not pc.all(known, min_count=0).as_py():
        wrong = table.filter(pc.invert(known))
        value, where = wrong[column][0].as_py(), wrong["path"][0].as_py()
        raise TableError(f"The column {column} of {path} must be 0 to {count - 1}. Received: {value} at {where!r}.")


def _at(table: pa.Table, column: pa.ChunkedArray) -> str:
    where = table["path"].filter(pc.is_null(column))[0].as_py()
    return f"It is missing at {where!r}."


def _write(path: Path, table: pa.Table, metadata: dict[str, str]) -> None:
    with replacing(path) as temporary:
        pq.write_table(table.replace_schema_metadata(metadata), temporary, use_dictionary=_repeating(table))


def _repeating(table: pa.Table) -> list[str]:
    """Return the columns that a dictionary makes smaller: paths and scores differ in nearly every row."""
    return [name for name in table.column_names if name != "path" and not pa.types.is_floating(table[name].type)]


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0]
