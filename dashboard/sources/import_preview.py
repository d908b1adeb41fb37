"""What is in a file before it is imported: its first rows, which column was taken for what, and what its cells mean."""

import streamlit as st

from cxr_core.errors import UndecidedError
from cxr_core.schema import LABELS
from cxr_core.sources.importing.mapping import Mapping
from cxr_core.tasks.import_preview import TablePreview, preview_table
from cxr_core.words import counted
from dashboard.shared.formatting import plain
from dashboard.sources.answers import answered, ask, mapping_input
from dashboard.sources.column_input import columns_input
from dashboard.sources.table_files import TableFiles
from dashboard.sources.value_input import rules_input, values_input


def looked_at(kind: str, files: TableFiles) -> Mapping | None:
    """Show the first rows of each file and return what the user says of them; None while a question is open.

    No more of a file is read here than that takes; an import reads the rest in a process of its own.
    """
    mapping_input(kind, files)
    mapping = answered(kind, files)
    try:
        with files.opened() as paths:
            tables = [preview_table(path, form=mapping.file) for path in paths]
    except UndecidedError as asked:
        ask(kind, files, asked)
        return None
    for table in tables:
        _show(table)
    if len(tables) > 1:
        return mapping
    with st.expander("Which column is which", icon=":material/view_column:"):
        mapping = columns_input(kind, tables[0], mapping)
    if kind == "predictions":
        return mapping
    with st.expander("What the cells mean", icon=":material/translate:"):
        mapping = values_input(kind, tables[0], mapping)
        return rules_input(kind, mapping) if kind == "labels" else mapping


def _show(table: TablePreview) -> None:
    named = f"{len(table.labels)} of {len(LABELS)} findings"
    rows = f"{'' if table.is_counted else 'more than '}{counted(table.rows, 'row')}"
    columns = counted(len(table.columns), "column")
    st.markdown(f"**{plain(table.name)}**: {rows}, {columns}, {named} recognised")
    if table.recognised:
        st.caption(plain(f"Read as: {', '.join(table.recognised)}."))
    st.dataframe(table.head, hide_index=True, height="content", placeholder="")
