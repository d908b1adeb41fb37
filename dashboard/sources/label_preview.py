"""What label files would become: the values of each label counted, five rows as they will be stored, the mapping."""

from dataclasses import replace

import streamlit as st

from cxr_core.errors import CxrError, UndecidedError
from cxr_core.schema import label_words
from cxr_core.sources.importing.choices import ImportChoices
from cxr_core.tasks.import_preview import LabelPreview, offered_mapping, preview_labels
from cxr_core.words import counted
from dashboard.shared.downloads import download_file
from dashboard.shared.formatting import plain
from dashboard.sources.answers import answer, ask
from dashboard.sources.table_files import TableFiles


def offered(kind: str, source: str, files: TableFiles) -> None:
    """Offer the mapping that was used for the last files with these columns, where there is one."""
    with files.opened() as paths:
        kept = offered_mapping(source, paths)
    if kept is None:
        return
    text = "The columns, words and rules as they were said of the last files with the same columns."
    if st.button("As the last file with these columns", icon=":material/history:", help=text, key=f"{kind}-kept"):
        answer(kind, files, {"mapping": str(kept)})


def label_preview(source: str, files: TableFiles, choices: ImportChoices) -> None:
    """Show what the first rows would become, or what is to be answered or corrected before."""
    st.subheader("As it will be stored", anchor=False)
    try:
        with files.opened() as paths:
            seen = preview_labels(source, paths, choices)
    except UndecidedError as asked:
        ask("labels", files, asked)
    except CxrError as error:
        st.warning(plain(str(error)), icon=":material/error:")
    else:
        _show(seen)
    layout = None if choices.layout == "auto" else choices.layout
    said = replace(choices.mapping, layout=layout, dataset=choices.dataset, view=choices.view)
    help_text = "What is said of this file, in TOML: for `import labels --mapping`, and for whoever has such a file."
    download_file(said.as_toml().encode(), "mapping.toml", "application/toml", "Download the mapping", help_text)


def _show(seen: LabelPreview) -> None:
    st.caption(f"Of the first {counted(seen.rows, 'row')}; nothing is written yet.")
    counts = seen.counts.assign(label=[label_words(label) for label in seen.counts["label"]])
    st.dataframe(counts.rename(columns=label_words), hide_index=True, height="content", key="import-preview-counts")
    st.dataframe(seen.stored, hide_index=True, height="content", placeholder="", key="import-preview-stored")
    for note in seen.notes:
        st.info(plain(note), icon=":material/info:")
