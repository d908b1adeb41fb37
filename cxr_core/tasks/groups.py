"""The groups of a source's images: by view, by data set, or by a column of the label tables or beside them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxr_core.arrays import BoolArray
from cxr_core.errors import TableError, UnknownNameError, UsageError
from cxr_core.evaluation.subgroups import NOT_STATED, group_names, groups_of
from cxr_core.schema import VIEWS
from cxr_core.sources.registry import get_source
from cxr_core.warehouse.answers import Joined

#: What every source can be split by.
ALWAYS: tuple[str, ...] = ("view", "dataset")
#: What stands between columns whose groups are crossed.
CROSSED = "+"
_STUDY = ["patient", "study"]


def ways_to_split(source_name: str) -> list[str]:
    """Return what the images of a source can be split by: `view`, `dataset` and the further label columns.

    Raises:
        UnknownNameError: there is no such source.
        WarehouseError: the warehouse could not answer.
    """
    return [*ALWAYS, *get_source(source_name).warehouse().further_columns()]


def row_groups(source_name: str, joined: Joined, by: str, dataset: str) -> list[str]:
    """Return the group of each joined row; a row of a whole study has what the first of its images states.

    Raises:
        TableError: a path stands twice in the label tables.
    """
    return _each_of_rows(source_name, joined, [by], dataset)[by]


def _each_of_rows(source_name: str, joined: Joined, columns: Sequence[str], dataset: str) -> dict[str, list[str]]:
    """Return the group of each joined row by each column, the label tables read once for all."""
    told = [column for column in columns if column not in ALWAYS]
    labels = get_source(source_name).warehouse().labels(dataset, None, told) if told else pd.DataFrame()
    if told and labels["path"].duplicated().any():
        raise TableError(
            f"The label tables must have each path once to be split by {told[0]}. Remove the repeated rows."
        )
    found = {column: _told(joined, labels, column) for column in told}
    if "dataset" in columns:
        found["dataset"] = [dataset] * len(joined.frame)
    if "view" in columns:
        codes = joined.frame["view"]
        found["view"] = [VIEWS[code] if 0 <= code < len(VIEWS) else "no single view" for code in codes]
    return found


def _told(joined: Joined, labels: pd.DataFrame, by: str) -> list[str]:
    column = labels.set_index("path")[by].reindex(joined.frame["path"]).astype("object").to_numpy()
    of_study = (joined.frame["image"] == 0).to_numpy()
    if of_study.any():
        first = labels.groupby(_STUDY)[by].first()
        studies = pd.MultiIndex.from_frame(joined.frame.loc[of_study, _STUDY])
        told = first.reindex(studies).astype("object").to_numpy()
        column[of_study] = np.where(pd.isna(column[of_study]), told, column[of_study])
    return groups_of(column, by)


def group_masks(source_name: str, joined: Joined, by: Sequence[str], dataset: str) -> dict[str, BoolArray]:
    """Return which rows (n,) each group has, by columns; `sex+race` crosses the groups of two.

    Of several columns the groups are named with theirs, as `sex: F`.

    Raises:
        UnknownNameError: there is no such column.
        UsageError: a column is named twice, or none, or the data set, of which only one is judged.
        TableError: a path stands twice in the label tables.
    """
    if not by or len(set(by)) < len(by):
        raise UsageError(f"Name each column by which to split once. Received: {', '.join(by) or 'none'}.")
    known = [way for way in ways_to_split(source_name) if way != "dataset"]
    columns = list(dict.fromkeys(column for spec in by for column in spec.split(CROSSED)))
    for column in columns:
        if column not in known:
            raise UnknownNameError("column to split by", column, known)
    each = _each_of_rows(source_name, joined, columns, dataset)
    found: dict[str, BoolArray] = {}
    for spec in by:
        of_rows = np.array(_crossed([each[column] for column in spec.split(CROSSED)]), dtype=object)
        for group in group_names(of_rows.tolist()):
            found[group if len(by) == 1 else f"{spec}: {group}"] = np.asarray(of_rows == group, dtype=bool)
    return found


def _crossed(each: Sequence[Sequence[str]]) -> list[str]:
    return [NOT_STATED if NOT_STATED in names else ", ".join(names) for names in zip(*each, strict=True)]
