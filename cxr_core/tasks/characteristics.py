"""What the images of a source are like, data set by data set: counts, and every further column of the label tables."""

from typing import Any

import pandas as pd

from cxr_core.schema import DATASETS, VIEWS, label_words
from cxr_core.sources.registry import get_source
from cxr_core.tasks.participants import headcount

#: A column with more different values is described by quartiles, or, where it holds texts, left out.
MOST_GROUPS = 8
_NOT_STATED = "not stated"


def characteristics(source_name: str) -> list[dict[str, Any]]:
    """Return rows of a table of characteristics, each with `what`, `of` and a text or count for each data set.

    Raises:
        UnknownNameError, TableError, WarehouseError: the source is not there, or its tables cannot be read.
    """
    warehouse = get_source(source_name).warehouse()
    further = warehouse.further_columns()
    frames = {name: warehouse.labels(name, None, further).drop_duplicates("path") for name in DATASETS}
    present = {name: frame for name, frame in frames.items() if len(frame)}
    counted = {name: headcount(frame).as_json() for name, frame in present.items()}
    rows: list[dict[str, Any]] = [
        {"what": unit.capitalize(), "of": "", "counts": {name: one[unit] for name, one in counted.items()}}
        for unit in ("images", "studies", "patients")
    ]
    views = {name: frame["view"].map(_view_words) for name, frame in present.items()}
    rows += _groups("View", views)
    for column in further:
        rows += _described(column, {name: frame[column] for name, frame in present.items()})
    return rows


def _view_words(code: Any) -> str:
    return label_words(VIEWS[int(code)]) if pd.notna(code) and 0 <= int(code) < len(VIEWS) else _NOT_STATED


def _described(column: str, of_sets: dict[str, pd.Series]) -> list[dict[str, Any]]:
    everything = pd.concat(of_sets.values())
    words = label_words(column)
    if everything.dropna().nunique() <= MOST_GROUPS:
        return _groups(words, {name: one.astype("object").where(one.notna(), _NOT_STATED).map(str)
                               for name, one in of_sets.items()})  # fmt: skip
    if not pd.api.types.is_numeric_dtype(everything):
        return []
    texts = {name: _quartiles(one.dropna().astype("float64")) for name, one in of_sets.items()}
    found: list[dict[str, Any]] = [{"what": words, "of": "median (quartiles) of the images", "texts": texts}]
    missing = {name: int(one.isna().sum()) for name, one in of_sets.items()}
    if any(missing.values()):
        found.append({"what": words, "of": _NOT_STATED, "counts": missing})
    return found


def _quartiles(values: pd.Series) -> str:
    if values.empty:
        return "–"
    low, middle, high = (values.quantile(share) for share in (0.25, 0.5, 0.75))
    return f"{middle:.4g} ({low:.4g} to {high:.4g})"


def _groups(what: str, of_sets: dict[str, pd.Series]) -> list[dict[str, Any]]:
    names = sorted({group for one in of_sets.values() for group in one.unique()})
    return [
        {"what": what, "of": group, "counts": {name: int((one == group).sum()) for name, one in of_sets.items()}}
        for group in names
    ]
