"""What people write on a run, so that it is found again."""

import streamlit as st

from cxr_core.runs import service
from cxr_core.runs.annotations import MOST_NOTES_CHARACTERS
from cxr_core.runs.store import Run
from dashboard.shared import help_texts
from dashboard.shared.errors import errors_as_sentences


def notes_section(run: Run, runs: list[Run]) -> None:
    """Show the notes and tags of a run in a form that keeps them."""
    known = sorted({tag for other in runs for tag in other.tags})
    with st.form(f"notes-form-{run.run}", border=False):
        tags = st.multiselect(
            "Tags",
            known,
            list(run.tags),
            accept_new_options=True,
            key=f"tags-{run.run}",
            placeholder="Choose or write a tag",
            help=help_texts.RUN_TAGS,
        )
        notes = st.text_area(
            "Notes",
            run.notes,
            max_chars=MOST_NOTES_CHARACTERS,
            key=f"notes-{run.run}",
            placeholder="Why this run, what came of it …",
            help=help_texts.RUN_NOTES,
        )
        if st.form_submit_button("Save notes and tags", icon=":material/save:", help="Keeps them with the run."):
            with errors_as_sentences():
                service.set_tags(run.run, tags)
                service.set_notes(run.run, notes or "")
                st.rerun()
