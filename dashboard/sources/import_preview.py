"""What is in a file before it is imported: its first rows, and which column was taken for what."""

import pandas as pd
import streamlit as st

from cxr_core.errors import UndecidedError
from cxr_core.schema import LABELS, label_words
from cxr_core.sources.importing.mapping import NOTHING_SAID, Mapping
from cxr_core.tasks.import_preview import TablePreview, preview_table
from cxr_core.words import counted
from dashboard.shared.formatting import plain
from dashboard.sources.question import question_input
from dashboard.sources.table_files import TableFiles

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
    "reader": "Reader",
}
_NONE = "—"


def looked_at(kind: str, files: TableFiles) -> Mapping | None:
    """Show the first rows of each file and return what the user says of them; None while a question is open.

    No more of a file is read here than that takes; an import reads the rest in a process of its own.
    """
    mapping = NOTHING_SAID.answered(_answers(kind, files))
    try:
        with files.opened() as paths:
            tables = [preview_table(path, form=mapping.file) for path in paths]
    except UndecidedError as asked:
        _ask(kind, files, asked)
        return None
    for table in tables:
        _show(table)
    return mapping.with_columns(_columns_input(kind, tables[0]) if len(tables) == 1 else {})


def _answers(kind: str, files: TableFiles) -> dict[str, str]:
    """Return what was answered about these files so far."""
    names, answers = st.session_state.get(f"import-{kind}-answers", ((), {}))
    return dict(answers) if names == files.names else {}


def _ask(kind: str, files: TableFiles, asked: UndecidedError) -> None:
    answer = question_input(asked.question, asked.choices, f"{kind}-{asked.topic}")
    if answer is not None:
        answers = _answers(kind, files) | asked.choices[answer].keys
        st.session_state[f"import-{kind}-answers"] = (files.names, answers)
        st.rerun()


def _show(table: TablePreview) -> None:
    named = f"{len(table.labels)} of {len(LABELS)} findings"
    rows = f"{'' if table.is_counted else 'more than '}{counted(table.rows, 'row')}"
    columns = counted(len(table.columns), "column")
    st.markdown(f"**{plain(table.name)}**: {rows}, {columns}, {named} recognised")
    st.dataframe(table.head, hide_index=True, height="content", placeholder="")


def _columns_input(kind: str, table: TablePreview) -> dict[str, str]:
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
