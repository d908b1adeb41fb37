"""Predictions beside labels: kept sorted by path, what several models have in common held once, and as a frame."""

import threading
from collections.abc import Hashable
from weakref import WeakValueDictionary

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cxr_core.schema import INTEGER_KEYS, KEY_COLUMNS, VALUES
from cxr_core.warehouse.answers import Joined
from cxr_core.warehouse.frames import by_path, codes, floats, key_columns

_SORTED = b"sorted by path"
_last: WeakValueDictionary[Hashable, pa.Table] = WeakValueDictionary()
_looking = threading.Lock()


def kept_rows(table: pa.Table, labels: Hashable) -> pa.Table:
    """Return an answer to `joined` for keeping: sorted by path, those without labels last, each column in one piece.

    `labels` stands for the label rows that were joined. Where the rows that were kept last of them have the same paths,
    their columns from the labels are the same too, and these very ones are taken: of models that predict the same
    images they are held once. An answer in which a path stands twice is returned as it is.
    """
    if has_repeated_paths(table):
        return table
    by = pa.table({"path": table["path"], "unlabelled": pc.is_null(table["label_rows"])})
    order = pc.sort_indices(by, [("unlabelled", "ascending"), ("path", "ascending")])
    path = _in_order(table["path"], order)
    with _looking:
        before = _last.get(labels)
        shared = _of_labels(before) if before is not None and before["path"].equals(path) else {}
        # Column by column: all of them twice would take hundreds of megabytes for a moment.
        columns = {
            name: shared[name] if name in shared else _in_order(_whole(table, name), order)
            for name in table.column_names
        }
        found = pa.table(columns).replace_schema_metadata({_SORTED: b"yes"})
        _last[labels] = found
    pa.default_memory_pool().release_unused()
    return found


def _of_labels(table: pa.Table) -> dict[str, pa.ChunkedArray]:
    """Return the columns that follow from the path, and the path."""
    return {name: table[name] for name in table.column_names if not name.startswith("predict")}


def is_sorted(table: pa.Table) -> bool:
    """Say whether rows are known to be sorted by path."""
    return _SORTED in (table.schema.metadata or {})


def has_repeated_paths(table: pa.Table) -> bool:
    """Say whether a path of an answer to `joined` stands more than once in either table."""
    return any((pc.max(table[name]).as_py() or 0) > 1 for name in ("prediction_rows", "label_rows"))


def are_study_rows(table: pa.Table) -> bool:
    """Say whether every prediction of an answer to `joined` stands for a whole study."""
    return bool(table.num_rows) and pc.all(pc.fill_null(pc.equal(table["predicted_image"], 0), False)).as_py()


def labelled(table: pa.Table) -> pa.Table:
    """Return the rows of an answer to `joined` that have labels: itself where all have, as a copy takes its time."""
    without = table["label_rows"].null_count
    if is_sorted(table):
        return table.slice(0, table.num_rows - without)
    return table.filter(pc.is_valid(table["label_rows"])) if without else table


def joined_result(table: pa.Table, scale: str, labels: tuple[str, ...]) -> Joined:
    """Return the rows that have labels, and the counts of paths that have none or stand more than once."""
    matched = labelled(table)
    keys = key_columns(matched, [key for key in KEY_COLUMNS if key != "dataset"])
    predicted = {f"predicted_{label}": floats(matched, f"predicted_{label}") for label in labels}
    true = {f"true_{label}": codes(matched, f"true_{label}", len(VALUES)) for label in labels}
    # The frame looks at the memory of the answer, which is kept, and shared by models: it takes none of its own.
    frame = pd.DataFrame({**keys, **predicted, **true}, copy=False)
    if not has_repeated_paths(table):  # there is nothing to count, which takes longer than the join
        if not is_sorted(table):
            frame = frame.sort_values("path", kind="stable", ignore_index=True)
        return Joined(frame, scale, labels, table.num_rows, table.num_rows - matched.num_rows, 0)
    repeated = pc.or_(pc.greater(table["prediction_rows"], 1), pc.fill_null(pc.greater(table["label_rows"], 1), False))
    twice = table.filter(repeated)
    n_predictions = pc.count_distinct(table["path"]).as_py()
    return Joined(
        frame=by_path(frame),
        scale=scale,
        labels=labels,
        n_predictions=n_predictions,
        unmatched=n_predictions - pc.count_distinct(matched["path"]).as_py(),
        duplicated=pc.count_distinct(twice["path"]).as_py(),
    )


def _whole(table: pa.Table, name: str) -> pa.ChunkedArray:
    """Return a column, codes as int64 as frames have them; what is no whole number stays, for the frame to refuse."""
    if not name.startswith("true_") and name not in INTEGER_KEYS:
        return table[name]
    try:
        return table[name].cast(pa.int64())
    except pa.ArrowException:
        return table[name]


def _in_order(column: pa.ChunkedArray, order: pa.Array) -> pa.ChunkedArray:
    return pa.chunked_array([column.combine_chunks().take(order)])
