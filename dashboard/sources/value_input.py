"""What the cells of a file mean (label values, views, data sets), and how several rows of an image become one."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from cxr_core.schema import DATASETS, LABELS, VALUES, VIEWS, label_words
from cxr_core.sources.importing.mapping import Mapping
from cxr_core.tasks.import_preview import TablePreview, meaning_of

_ROWS = {
    "": "Asked, where there are several",
    "majority": "What most rows say; a tie is uncertain",
    "max": "What any row says is there",
    "readings": "What most say, and each reader's rows kept as readings",
}
_ABSENT = {"": "Negative", "not_mentioned": "Not mentioned"}
_UNKNOWN = "not known"


def values_input(kind: str, table: TablePreview, said: Mapping) -> Mapping:
    """Show what was taken for what, cell by cell, and return `said` with the corrections."""
    roles = {**table.roles, **table.labels, **said.columns}
    labels = [roles[label] for label in LABELS if roles.get(label)]
    for name, title, columns, ours in (
        ("values", "label cells", [*labels, roles.get("value", "")], VALUES),
        ("views", "views", [roles.get("view", "")], VIEWS),
        ("datasets", "data sets", [roles.get("dataset", "")], DATASETS),
    ):
        words = list(dict.fromkeys(word for column in columns for word in table.words.get(column, ())))
        if words:
            changed = _meanings(f"{kind}-{name}-{table.name}", title, words, ours, name, getattr(said, name))
            said = said.with_words(name, changed)
    return said


def rules_input(kind: str, said: Mapping) -> Mapping:
    """Show what becomes of several rows of an image and of what a list does not name; return `said` with it."""
    with st.container(horizontal=True):
        rows = st.selectbox(
            "Several rows of an image",
            list(_ROWS),
            index=list(_ROWS).index(said.rows) if said.rows in _ROWS else 0,
            format_func=_ROWS.__getitem__,
            key=f"import-{kind}-rows",
            help="Rows by several readers, a row a finding, a row a box.",
        )
        absent = st.selectbox(
            "What a list of findings does not name is",
            list(_ABSENT),
            index=list(_ABSENT).index(said.absent or "") if (said.absent or "") in _ABSENT else 0,
            format_func=_ABSENT.__getitem__,
            key=f"import-{kind}-absent",
            help="Where a cell lists what is there, or each finding has a row.",
        )
    return replace(said, rows=rows or said.reader_rule, absent=absent or None)


def _meanings(
    key: str, title: str, words: list[str], ours: tuple[str, ...], name: str, said: dict[str, str]
) -> dict[str, str]:
    shown = {label_words(word): word for word in ours}
    guessed = {word: meaning_of(name, word, said) for word in words}
    edited = st.data_editor(
        pd.DataFrame({"Cell": words, "Means": [label_words(g) if (g := guessed[w]) else _UNKNOWN for w in words]}),
        column_config={
            "Cell": st.column_config.TextColumn(f"In the {title}", disabled=True),
            "Means": st.column_config.SelectboxColumn("Means", options=[*shown, _UNKNOWN], required=True),
        },
        hide_index=True,
        key=f"import-{key}",
    )
    chosen = {word: shown.get(str(means)) for word, means in zip(words, edited["Means"], strict=True)}
    changed = {word: mean for word, mean in chosen.items() if mean and mean != guessed[word]}
    return said | changed
