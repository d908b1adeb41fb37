"""Predictions of a model trained elsewhere -> a prediction table of a source, keyed by the source's own label rows.

The file's keys are looked up in the label table: by path, by the end of the path, by DICOM id, or (where the file
names studies, or its user says so) by study. What finds no label row is counted, shown and left out, because nothing
says whose image it is. A key that stands twice with the same numbers counts once; with different numbers nobody can
tell which is right, so all its rows are left out, and counted.
"""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from cxr_core.caller import ADMIN, require
from cxr_core.errors import Choice, ExistsError, TableError, UndecidedError, UnknownNameError, UsageError
from cxr_core.journal import note_deed
from cxr_core.schema import LABELS, SCALES, VIEWS, check_name
from cxr_core.sources.importing import cells
from cxr_core.sources.importing.cells import BadCells
from cxr_core.sources.importing.identifiers import Identifiers, load_identifiers
from cxr_core.sources.importing.mapping import NOTHING_SAID, Mapping
from cxr_core.sources.importing.matched_rows import matched_rows
from cxr_core.sources.importing.matching import MOST_SHOWN
from cxr_core.sources.importing.prediction_keys import prediction_keys, study_rows
from cxr_core.sources.importing.row_keys import with_path
from cxr_core.sources.importing.spelling import ColumnMapping, guess_mapping
from cxr_core.sources.importing.text_table import TextTable, read_text_table
from cxr_core.sources.registry import source_with_labels
from cxr_core.sources.source import Source
from cxr_core.tasks.import_labels import Tell, untold
from cxr_core.warehouse.parquet import write_table
from cxr_core.words import counted, plural

#: Logits that are all above 0 do not go so far; percentages do.
_NO_LOGIT = 20


@dataclass(frozen=True)
class ImportedPredictions:
    """What became of an import.

    Of the rows `read`, `refused` had a bad cell, `unmatched` no label row, and `duplicated` counts those beyond the
    first of each key; `written` stand in the table. `matched` counts rows by what found their label row (path, tail,
    dicom, study), `unmatched_examples` are the first keys without one. `notes` say what was assumed.
    """

    model: str
    table: Path
    scale: str
    read: int
    written: int
    refused: int
    unmatched: int
    duplicated: int
    notes: list[str] = field(default_factory=list)
    matched: dict[str, int] = field(default_factory=dict)
    unmatched_examples: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return what `import predictions --json` prints."""
        return {
            "read": self.read,
            "written": self.written,
            "refused": self.refused,
            "unmatched": self.unmatched,
            "duplicated": self.duplicated,
            "model": self.model,
            "table": str(self.table),
            "scale": self.scale,
            "matched": self.matched,
            "unmatched_examples": self.unmatched_examples,
            "notes": self.notes,
        }


def import_predictions(
    source_name: str,
    file: Path,
    model: str,
    scale: str | None = None,
    replace: bool = False,
    skip_bad_rows: bool = False,
    columns: dict[str, str] | None = None,
    tell: Tell = untold,
    mapping: Mapping = NOTHING_SAID,
) -> ImportedPredictions:
    """Write a file of predictions as the prediction table of `model`.

    Args:
        source_name: the source whose label rows name the images.
        file: CSV, Parquet or NumPy (.npz), with a path, DICOM id or study column and at least one label.
        model: name of the model, new unless `replace`.
        scale: `logit`, `probability` or `score`; by default a probability when all numbers are from 0 to 1, else logit.
        replace: whether a table of that name is replaced.
        skip_bad_rows: whether rows with a bad cell are left out.
        columns: corrections of the guessed mapping, our name -> the file's column (`""`: none).
        tell: called with the share that is done, from 0 to 1, and what is going on.
        mapping: what the user says of the file beside its columns.

    Raises:
        TableError: the file is damaged, lacks a column, has a cell that means nothing, or matches no label row.
        UndecidedError: the file can be read in two ways.
        ExistsError: the source has predictions of that name already.
        UsageError: the source has no labels, or a name or the scale is unknown.
    """
    require(ADMIN, "import predictions")
    source = source_with_labels(source_name, "predictions")
    check_name("model", model)
    if scale is not None and scale not in SCALES:
        raise UnknownNameError("scale", scale, SCALES)
    _check_free(source, model, replace)
    tell(0.1, "Reading the label table")
    labels = _label_keys(source)
    tell(0.3, f"Reading {Path(file).name}")
    said = mapping.with_columns(columns)
    table = read_text_table(Path(file), said.file)
    tell(0.6, "Checking every cell")
    notes = [f"{table.name} was read as: {', '.join(table.recognised)}."] if table.recognised else []
    guessed = guess_mapping(table.columns, table.name, said.columns, said.findings)
    mapped = with_path(table, guessed, notes, said.columns) if "study" not in guessed.roles else guessed
    bad = BadCells(table)
    values = _values(bad, mapped, said)
    known_scale = scale or _scale(table, bad.without(values), notes)
    if known_scale == "probability":
        _check_probabilities(bad, mapped, values)
    known = partial(load_identifiers, source.folder)
    keys, matches, names = prediction_keys(bad, mapped, labels, known, notes)
    bad.refuse(skip_bad_rows)
    rows = matched_rows(bad.without(values), bad.without(keys))
    frame = rows.frame
    lost = keys.loc[keys["path"].isna(), "key"].drop_duplicates().tolist()[:MOST_SHOWN]
    if frame.empty:
        raise _nothing_matched(table, source_name, mapped, lost, labels, known())
    path = source.predictions_path(model)
    tell(0.9, "Writing the table")
    write_table(path, frame, known_scale, {"view": _one_view(frame), "imported": table.name})
    note_deed("predictions imported", source=source_name, model=model, rows=len(frame))
    notes.append(matches.sentence(names))
    if rows.contradicting:
        notes.append(f"{counted(rows.contradicting, 'row')} left out: other numbers for the same key.")
    _tell_unused(table, mapped, notes)
    counts = (table.rows, len(frame), int(bad.rows.sum()), rows.unmatched, rows.duplicated)
    return ImportedPredictions(model, path, known_scale, *counts, notes, matches.ways, lost)


def _check_free(source: Source, model: str, replace: bool) -> None:
    warehouse = source.warehouse()
    if model not in warehouse.prediction_tables():
        return
    location = warehouse.prediction_info(model)[0]
    if location != str(source.predictions_path(model)):
        raise ExistsError(f"{model} already has predictions in {location}. Choose another --model name.")
    if not replace:
        raise ExistsError(
            f"The source {source.name} has predictions of {model} already. Use --replace to replace them."
        )


def _label_keys(source: Source) -> pd.DataFrame:
    if not source.tables.labels:
        raise UsageError(f"The source {source.name} has no label table, so nothing tells whose images they are. "
                         "Import its labels first.")  # fmt: skip
    return source.warehouse().label_keys()


def _values(bad: BadCells, mapping: ColumnMapping, said: Mapping) -> pd.DataFrame:
    if not mapping.labels:
        raise TableError(
            f"{bad.table.name} has no column that names a label, as `Edema` does. Say which column is one with "
            f"--column edema=NAME. Received: {', '.join(bad.table.columns)[:200]}."
        )
    share = 0.01 if said.unit == "percent" else 1.0
    found = {name: cells.numbers(bad, mapping.labels[name]) for name in LABELS if name in mapping.labels}
    scaled = {name: values if share == 1.0 else values * share for name, values in found.items()}
    return pd.DataFrame(scaled, copy=False)


def _scale(table: TextTable, values: pd.DataFrame, notes: list[str]) -> str:
    """Return what the numbers look like; where they may be percentages, only the user can tell."""
    lowest, highest = (float(values.min().min()), float(values.max().max())) if len(values) else (0.0, 0.0)
    if lowest >= 0 and _NO_LOGIT < highest <= 100:
        choices = [
            Choice("percentages, to be divided by 100", "--scale probability --answer unit=percent",
                   {"scale": "probability", "unit": "percent"}),
            Choice("of which only the ranking counts", "--scale score", {"scale": "score"}),
            Choice("logits, none of them below 0", "--scale logit", {"scale": "logit"}),
        ]  # fmt: skip
        raise UndecidedError("scale", f"The numbers of {table.name} go from {lowest:g} to {highest:g}.", choices)
    if lowest == highest:
        notes.append(f"No scale was given, and every number is {lowest:g}, which tells none: taken as logits.")
        return "logit"
    scale = "probability" if lowest >= 0 and highest <= 1 else "logit"
    notes.append(f"No scale was given; the numbers look like {plural(scale)}.")
    return scale


def _check_probabilities(bad: BadCells, mapping: ColumnMapping, values: pd.DataFrame) -> None:
    for label in values.columns:
        numbers = values[label].to_numpy()
        bad.add(
            (numbers < 0) | (numbers > 1), mapping.labels[label], "must be a probability from 0 to 1 (--scale says so)"
        )


def _nothing_matched(
    table: TextTable, source: str, mapping: ColumnMapping, lost: list[str], labels: pd.DataFrame, known: Identifiers
) -> Exception:
    """Return what to raise when no row matches: a question where the paths name studies of the source."""
    first = lost[0][:80] if lost else ""
    column = mapping.roles.get("path")
    if column is not None:
        names = [name or "" for name in table.columns[column].to_pylist()]
        studies = int(study_rows(names, None, labels, known)["path"].notna().sum())
        if studies:
            choice = Choice("predictions of whole studies", f"--column study={column} --column path=",
                            {"columns.study": column, "columns.path": ""})  # fmt: skip
            named = counted(studies, "row names a study", "rows name studies")
            question = f"No path of {table.name} is an image of {source}, but {named} (first: {first!r})."
            return UndecidedError("study", question, [choice])
    return TableError(
        f"No key of {table.name} is in the label table of {source} (first: {first!r}; the labels have, for example, "
        f"{labels['path'].min()!r}). Name the right column with --column path=NAME, or the right --source."
    )


def _tell_unused(table: TextTable, mapping: ColumnMapping, notes: list[str]) -> None:
    unused = [name for name in table.columns if name not in mapping.used()]
    if unused:
        more = f" and {len(unused) - MOST_SHOWN} more" if len(unused) > MOST_SHOWN else ""
        notes.append(f"Columns that were not used: {', '.join(name[:40] for name in unused[:MOST_SHOWN])}{more}.")


def _one_view(frame: pd.DataFrame) -> str | None:
    views = frame["view"].dropna().unique()
    return VIEWS[int(views[0])] if len(views) == 1 and frame["view"].notna().all() else None
