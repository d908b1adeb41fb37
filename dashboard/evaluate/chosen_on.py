"""On which images the cut was chosen: it stays when other images are looked at, until the reader chooses anew."""

from dataclasses import replace

import streamlit as st

from cxr_core.schema import TRAINING_VIEWS
from dashboard.evaluate.judged import Judged

#: Where it stands in the session, and in the URL while other images are judged.
KEY = "cut-from"


def chosen_on(judged: Judged) -> Judged:
    """Return the images that the cut is chosen on: those of the first look, or of the last "Choose anew"."""
    kept = str(st.session_state.get(KEY) or st.query_params.get(KEY, ""))
    found = _named(judged, kept) or judged
    st.session_state[KEY] = _name(found)
    if found != judged:
        st.query_params[KEY] = _name(found)
    else:
        st.query_params.pop(KEY, None)
    return found


def say_where_it_was_chosen(judged: Judged, chosen: Judged) -> None:
    """Say that the cut is kept from other images, and offer to choose it on these."""
    if chosen == judged:
        return
    st.caption(f"Cut kept from {images_in_words(chosen)}.")
    name = images_in_words(judged)
    st.button(
        f"Choose anew on {name}", key="choose-anew", on_click=_choose_here, args=(_name(judged),), type="tertiary"
    )


def images_in_words(judged: Judged) -> str:
    """Return the images by their data set, and their view where one is chosen: "valid", "valid, frontal"."""
    return f"{judged.dataset}, {judged.view}" if judged.view else judged.dataset


def _choose_here(name: str) -> None:
    st.session_state[KEY] = name


def _name(judged: Judged) -> str:
    return f"{judged.dataset}-{judged.view}" if judged.view else judged.dataset


def _named(judged: Judged, name: str) -> Judged | None:
    """Return the images that a name stands for, None where the model predicts none such."""
    dataset, _, view = name.partition("-")
    if dataset not in judged.model.predictions or view not in ("", *TRAINING_VIEWS):
        return None
    return replace(judged, dataset=dataset, view=view or None)
