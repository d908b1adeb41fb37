"""What was answered about the files of a form so far: it is kept while they are the same files."""

from pathlib import Path

import streamlit as st

from cxr_core.errors import UndecidedError
from cxr_core.sources.importing.mapping import NOTHING_SAID, Mapping, parse_mapping, read_mapping
from dashboard.sources.question import question_input
from dashboard.sources.table_files import TableFiles

#: An answer that is a whole mapping: the path of one that was used before, or the content of one that was uploaded.
_KEPT, _GIVEN = "mapping", "given-mapping"

_MAPPING_HELP = (
    "What somebody said of files of this shape, in TOML, as `Download the mapping` gives it and `--mapping` takes it."
)


def answered(kind: str, files: TableFiles) -> Mapping:
    """Return what was answered about these files: single keys, or a mapping that was used before or uploaded."""
    names, answers = st.session_state.get(f"import-{kind}-answers", ((), {}))
    if names != files.names:
        return NOTHING_SAID
    said = NOTHING_SAID
    if _GIVEN in answers:
        said = parse_mapping(answers[_GIVEN].encode(), "that was uploaded")
    elif _KEPT in answers:
        said = read_mapping(Path(answers[_KEPT]))
    return said.answered({key: value for key, value in answers.items() if key not in (_KEPT, _GIVEN)})


def mapping_input(kind: str, files: TableFiles) -> None:
    """Show an upload of a mapping that somebody shared; it takes the place of what was answered of these files."""
    uploaded = st.file_uploader("Mapping of such files", type="toml", key=f"import-{kind}-mapping", help=_MAPPING_HELP)
    taken = f"import-{kind}-mapping-taken"
    if uploaded is None:
        st.session_state.pop(taken, None)
        return
    content = uploaded.getvalue()
    if st.session_state.get(taken) == (files.names, content):
        return
    parse_mapping(content, uploaded.name)
    st.session_state[taken] = (files.names, content)
    st.session_state[f"import-{kind}-answers"] = (files.names, {_GIVEN: content.decode()})
    st.rerun()


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
