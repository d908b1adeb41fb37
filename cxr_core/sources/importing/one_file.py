"""One label file that says of each row itself what it is -> rows of our label table."""

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from cxr_core.schema import LABELS
from cxr_core.sources.importing import cells
from cxr_core.sources.importing.cells import BadCells
from cxr_core.sources.importing.choices import ImportChoices, LabelRows
from cxr_core.sources.importing.findings import Findings, read_findings
from cxr_core.sources.importing.layouts import Layout
from cxr_core.sources.importing.row_keys import RowKeys, image_numbers, row_keys, with_path
from cxr_core.sources.importing.row_places import datasets, is_view_position, views
from cxr_core.sources.importing.several_rows import one_row_each
from cxr_core.sources.importing.spelling import ColumnMapping, normalised
from cxr_core.sources.importing.text_table import TextTable

_MOST_NAMED = 8
_LISTS = ("findings", "finding", "value", "mask")


def one_file_rows(
    table: TextTable, columns: ColumnMapping, layout_name: str, layout: Layout | None, choices: ImportChoices
) -> LabelRows:
    """Return the rows of one file.

    Raises:
        TableError: a column is missing, or (unless bad rows are skipped) a cell means nothing.
        UndecidedError: the file can be read in two ways.
        UsageError: nothing says which data set or view the rows belong to.
    """
    bad, notes = BadCells(table), list[str]()
    columns = with_path(table, columns, notes, choices.mapping.columns)
    keys = row_keys(bad, columns, layout, notes)
    findings = read_findings(bad, columns, layout_name, layout, choices.mapping, notes)
    names = [*LABELS, *findings.extra]
    frame = pd.DataFrame(
        {
            "path": pd.array(keys.paths, dtype="str"),
            "patient": pd.array(keys.patients, dtype="str"),
            "study": pd.array(keys.studies, dtype="str"),
            "image": image_numbers(bad, columns, keys.is_study, layout_name),
            "view": views(bad, columns, keys, layout, choices, notes),
            "dataset": datasets(bad, columns, keys, choices, layout_name, notes),
            **{label: findings.labels.get(label, np.full(table.rows, -1, np.int64)) for label in LABELS},
            **properties(bad, columns, notes),
            **findings.extra,
            **{name: pd.Series(texts, dtype="str") for name, texts in findings.texts.items()},
            **_kept(table, choices, columns),
        }
    )
    rule, row_rule = choices.mapping.rows, _row_rule(columns, layout)
    if rule is None and row_rule is None and "reader" not in columns.roles:
        _refuse_twice(bad, keys)
    bad.refuse(choices.skip_bad_rows)
    kept = bad.without(frame)
    readers = None
    if "reader" in columns.roles:
        readers = bad.without(_texts(table, columns.roles["reader"]))
    kept, readings = one_row_each(kept, names, readers, rule, row_rule, table, notes)
    _tell(table, columns, keys, findings, choices, notes)
    return LabelRows(kept, layout_name, table.rows, int(bad.rows.sum()), 0, notes, readings)


def _texts(table: TextTable, column: str) -> pd.Series:
    return pd.Series(pd.array(table.columns[column], dtype="str"))


def properties(bad: BadCells, mapping: ColumnMapping, notes: list[str]) -> dict[str, pd.Series]:
    """Return the columns for subgroups that the file has: `sex`, `age` in years, `position`, `procedure`."""
    found: dict[str, pd.Series] = {}
    if "sex" in mapping.roles:
        found["sex"] = pd.Series(pd.array(cells.sexes(bad, mapping.roles["sex"]), dtype="str"))
    if "age" in mapping.roles:
        years, stated = cells.ages(bad, mapping.roles["age"])
        found["age"] = pd.Series(years)
        if stated is not None:
            found["age_stated"] = pd.Series(stated, dtype="str")
            notes.append("Some ages are stated as bounds, as in '85 or more': age has the bound, age_stated the words.")
    position = mapping.roles.get("position")
    if position is None and "view" in mapping.roles and is_view_position(mapping.roles["view"]):
        position = mapping.roles["view"]
    if position is not None:
        found["position"] = _texts(bad.table, position)
    if "procedure" in mapping.roles:
        found["procedure"] = _texts(bad.table, mapping.roles["procedure"])
    return found


def _kept(table: TextTable, choices: ImportChoices, columns: ColumnMapping) -> dict[str, pd.Series]:
    """Return further columns that the user wants kept, as texts."""
    return {
        normalised(name): _texts(table, name)
        for name in choices.mapping.keep
        if name in table.columns and name not in columns.used()
    }


def _row_rule(columns: ColumnMapping, layout: Layout | None) -> str | None:
    """Return how several rows of an image (by one reader) become one: a table of boxes or findings says it itself."""
    if "mask" in columns.roles or ("finding" in columns.roles and not columns.labels):
        return None if "reader" in columns.roles else "max"
    return layout.rows if layout is not None else None


def _refuse_twice(bad: BadCells, keys: RowKeys) -> None:
    what = "study" if keys.is_study else "image"
    way_out = "say how several rows become one with --answer rows=max or rows=majority"
    if keys.is_study:
        way_out = "name the column of the images with --column path=NAME"
    if len(pc.unique(keys.paths)) == len(keys.paths):
        return
    twice = pd.Series(pd.array(keys.paths, dtype="str")).duplicated().to_numpy()
    bad.add(twice, keys.column, f"must be different in every row, it names the {what}", way_out)


def _tell(
    table: TextTable,
    columns: ColumnMapping,
    keys: RowKeys,
    findings: Findings,
    choices: ImportChoices,
    notes: list[str],
) -> None:
    if table.recognised:
        notes.insert(0, f"{table.name} was read as: {', '.join(table.recognised)}.")
    if keys.is_study:
        notes.append(f"{keys.column} names studies and no column names images: the rows stand for whole studies.")
    # Where each finding has a column, a list of them beside is not read.
    roles = columns.roles if not columns.labels else {r: c for r, c in columns.roles.items() if r not in _LISTS}
    used = {*roles.values(), *columns.labels.values(), *findings.used, *choices.mapping.keep}
    unused = [name for name in table.columns if name not in used]
    if unused:
        more = f" and {len(unused) - _MOST_NAMED} more" if len(unused) > _MOST_NAMED else ""
        notes.append(f"Columns that were not used: {', '.join(name[:40] for name in unused[:_MOST_NAMED])}{more}.")
