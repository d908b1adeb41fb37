"""The columns of a file beside ours, with what stands in them and what they were taken for, to be corrected."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from cxr_core.errors import UsageError
from cxr_core.schema import LABELS, label_words
from cxr_core.sources.importing.mapping import Mapping
from cxr_core.tasks.import_preview import TablePreview

_ROLE_WORDS = {
    "path": "Path of the image",
    "dicom": "DICOM id",
    "patient": "Patient",
    "study": "Study",
    "view": "View",
    "dataset": "Data set (split)",
    "sex": "Sex",
    "age": "Age",
    "position": "AP/PA",
    "procedure": "Procedure",
    "reader": "Reader",
    "findings": "List of findings in a cell",
    "finding": "Finding of the row",
    "value": "Value of the row's finding",
    "mask": "Run-length mask",
}
WORDS = _ROLE_WORDS | {label: label_words(label) for label in LABELS}
_NOTHING, _KEPT = "—", "Kept for groups"
_OURS = {words: ours for ours, words in WORDS.items()}


def columns_input(kind: str, table: TablePreview, said: Mapping) -> Mapping:
    """Show which column of the file was taken for what, and return `said` with the corrections.

    Raises:
        UsageError: two columns are given the same meaning.
    """
    guessed = {column: ours for ours, column in (table.roles | table.labels).items()}
    guessed = {column: ours for column, ours in guessed.items() if ours not in said.columns}
    guessed |= {column: ours for ours, column in said.columns.items() if column}
    frame = pd.DataFrame(
        {
            "Column": list(table.columns),
            "Examples": [table.examples.get(name, "") for name in table.columns],
            "Is": [_shown(name, guessed, said) for name in table.columns],
        }
    )
    st.caption("Guessed from the names of the columns. Choose what a column is where the guess is wrong.")
    edited = st.data_editor(
        frame,
        column_config={
            "Column": st.column_config.TextColumn("The file's column", disabled=True),
            "Examples": st.column_config.TextColumn("Examples", disabled=True),
            "Is": st.column_config.SelectboxColumn("Is", options=[_NOTHING, *_OURS, _KEPT], required=True),
        },
        hide_index=True,
        key=f"import-{kind}-columns-{table.name}",
    )
    return _corrected(dict(zip(table.columns, edited["Is"].tolist(), strict=True)), guessed, said)


def _shown(column: str, guessed: dict[str, str], said: Mapping) -> str:
    return _KEPT if column in said.keep else WORDS.get(guessed.get(column, ""), _NOTHING)


def _corrected(chosen: dict[str, str], guessed: dict[str, str], said: Mapping) -> Mapping:
    columns: dict[str, str] = {}
    for column, words in chosen.items():
        ours = _OURS.get(words)
        if ours in columns:
            raise UsageError(f"{words} is given to two columns, {columns[ours]!r} and {column!r}. Leave it to one.")
        if ours is not None:
            columns[ours] = column
    before = {ours: column for column, ours in guessed.items() if ours in WORDS}
    changed = {ours: column for ours, column in columns.items() if before.get(ours) != column}
    gone = {ours: "" for ours in before if ours not in columns}
    kept = tuple(column for column, words in chosen.items() if words == _KEPT)
    return replace(said.with_columns(gone | changed), keep=kept)
