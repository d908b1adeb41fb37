"""What the Evaluate page says of all labels together: figures, thresholds that travel, and gaps between groups."""

import streamlit as st

from cxr_core.tasks.card_choice import cards_of
from dashboard.evaluate.all_labels import all_labels, labels_so_far
from dashboard.evaluate.gaps import gaps_section
from dashboard.evaluate.judged import Judged
from dashboard.evaluate.thresholds import thresholds_section
from dashboard.shared.choices import tabs
from dashboard.shared.errors import errors_as_sentences
from dashboard.shared.notebook import evaluation_lines, notebook_lines
from dashboard.shared.pack_button import pack_button

TABS = ("All labels", "Thresholds", "Groups")


def whole_model(judged: Judged) -> None:
    """Show the tabs; one that is not open costs nothing."""
    sections = (
        lambda: all_labels(judged.evaluation(labels_so_far)),
        lambda: thresholds_section(judged),
        lambda: gaps_section(judged),
    )
    for tab, section in zip(tabs(TABS, "evaluate-tab"), sections, strict=True):
        if tab.open:
            with tab, errors_as_sentences():
                section()
    source, model = judged.source.name, judged.model.name
    card = [name for name in cards_of(source, model) if name == st.session_state.get("card")]
    label = st.session_state["label"]
    notebook_lines(evaluation_lines(source, model, label, judged.dataset, judged.view, judged.judge))
    pack_button(source, [model], judged.dataset, judged.view, judged.judge, card)
