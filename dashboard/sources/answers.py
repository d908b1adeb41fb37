"""What was answered about the files of a form so far: it is kept while they are the same files."""

from pathlib import Path

import streamlit as st

from cxr_core.errors import UndecidedError
from cxr_core.sources.importing.mapping import NOTHING_SAID, Mapping, read_mapping
from dashboard.sources.question import question_input
from dashboard.sources.table_files import TableFiles

_KEPT = "mapping"


def answered(kind: str, files: TableFiles) -> Mapping:
    """Return what was answered about these files: single keys, or a mapping that was used before."""
    names, answers = st.session_state.get(f"import-{kind}-answers", ((), {}))
    if names != files.names:
        return NOTHING_SAID
    said = read_mapping(Path(answers[_KEPT])) if _KEPT in answers else NOTHING_SAID
    return said.answered({key: value for key, value in answers.items() if key != _KEPT})


def ask(kind: str, files: TableFiles, asked: UndecidedError) -> None:
    """Show a question about files; an answer is kept, and the page is drawn again with it."""
    place = question_input(asked.question, asked.choices, f"{kind}-{asked.topic}")
    if place is not None:
        answer(kind, files, asked.choices[place].keys)


def answer(kind: str, files: TableFiles, keys: dict[str, str]) -> None:
    """Keep an answer about files and draw the page again."""
    names, answers = st.session_state.get(f"import-{kind}-answers", ((), {}))
    st.session_state[f"import-{kind}-answers"] = (files.names, (answers if names == files.names else {}) | keys)
    st.rerun()
