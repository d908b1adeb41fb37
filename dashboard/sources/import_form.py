"""Bringing in other people's files on the Sources page: labels, predictions, readings, groups and images."""

from collections.abc import Callable

import streamlit as st

from dashboard.shared.errors import errors_as_sentences
from dashboard.sources.image_form import images_form
from dashboard.sources.import_run import import_shown
from dashboard.sources.table_forms import groups_form, labels_form, predictions_form, readings_form

_FORMS: dict[str, Callable[[], None]] = {
    "Labels": labels_form,
    "Predictions": predictions_form,
    "Readings": readings_form,
    "Groups": groups_form,
    "Images": images_form,
}


def import_section() -> None:
    """Show the ways of bringing something in, and how the import that was started last stands."""
    st.header("Import your own", anchor=False)
    st.caption("Files are read where they are or as you upload them; what comes of them stays in the workspace.")
    with errors_as_sentences():
        import_shown()
    for tab, form in zip(st.tabs(list(_FORMS), key="import-tab", on_change="rerun"), _FORMS.values(), strict=True):
        if tab.open:
            with tab, errors_as_sentences():
                form()
