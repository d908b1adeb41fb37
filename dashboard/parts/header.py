"""The top of every page: the answer as a title, then what it is an answer about."""

import streamlit as st

from cxr_core.schema import label_words

#: Whether the page that is being drawn has its title yet.
TITLED = "page-has-title"
SYNTHETIC_NOTICE = "Synthetic demo data — not patients. Not a medical device."


def page_header(title: str, source: str, synthetic: bool, *facts: str) -> None:
    """Show the answer, the source and view that it holds for, and the notice on synthetic data.

    Args:
        title: one sentence, the page's answer.
        source: name of the source.
        synthetic: whether its images are made up.
        facts: what else the answer holds for, as in "frontal view", "valid".
    """
    st.session_state[TITLED] = True
    st.title(title, anchor=False)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.badge(f"Source: {source}", icon=":material/database:", color="gray")
        for fact in facts:
            st.badge(fact, color="gray")
        if synthetic:
            st.badge(SYNTHETIC_NOTICE, icon=":material/science:", color="orange")


def view_fact(view: str | None) -> str:
    """Return how a page states its view."""
    return "All views" if view is None else f"{label_words(view)} view"
