"""What is in a file before it is imported: its first rows, and which column was taken for what."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from cxr_core.schema import LABELS, label_words
from cxr_core.tasks.import_preview import TablePreview, preview_table
from cxr_core.words import counted
from dashboard.shared.formatting import plain

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
}
_NONE = "—"


def preview(paths: Sequence[Path]) -> list[TablePreview]:
    """Show the first rows of each file and return what was found in them."""
    found = [preview_table(path) for path in paths]
    for table in found:
        named = f"{len(table.labels)} of {len(LABELS)} findings"
        rows = f"{'' if table.is_counted else 'more than '}{counted(table.rows, 'row')}"
        columns = counted(len(table.columns), "column")
        st.markdown(f"**{plain(table.name)}**: {rows}, {columns}, {named} recognised")
        st.dataframe(table.head, hide_index=True, height="content", placeholder="")
    return found


def columns_input(kind: str, table: TablePreview) -> dict[str, str]:
    """Show which column was taken for what, to be corrected, and return the corrections."""
    guessed = {name: table.roles.get(name, "") for name in _ROLE_WORDS}
    guessed |= {label: table.labels.get(label, "") for label in LABELS}
    words = _ROLE_WORDS | {label: label_words(label) for label in LABELS}
    with st.expander("Which column is which", icon=":material/view_column:"):
        st.caption("Guessed from the names. Choose another column where the guess is wrong.")
        edited = st.data_editor(
            pd.DataFrame({"What": [words[name] for name in guessed], "Column": [v or _NONE for v in guessed.values()]}),
            column_config={
                "What": st.column_config.TextColumn("What", disabled=True),
                "Column": st.column_config.SelectboxColumn("Column", options=[_NONE, *table.columns], required=True),
            },
            hide_index=True,
            key=f"import-{kind}-columns-{table.name}",
        )
    chosen = {
        name: "" if column == _NONE else str(column) for name, column in zip(guessed, edited["Column"], strict=True)
    }
    return {name: column for name, column in chosen.items() if column != guessed[name]}
