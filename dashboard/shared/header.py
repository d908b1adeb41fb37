"""The top of every page: the answer as a title, then what it is an answer about."""

import streamlit as st

from cxr_core.schema import label_words
from dashboard.shared.formatting import plain

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
    page_title(title)
    facts_line(source, synthetic, *facts)


def page_title(title: str) -> None:
    """Show the answer alone."""
    st.session_state[TITLED] = True
    st.title(plain(title), anchor=False)


def facts_line(source: str, synthetic: bool, *facts: str) -> None:
    """Show what the answer holds for."""
    badges = [
        f":gray-badge[:material/database: Source: {plain(source)}]",
        *(f":gray-badge[{plain(fact)}]" for fact in facts),
    ]
    if synthetic:
        badges.append(f":orange-badge[:material/science: {SYNTHETIC_NOTICE}]")
    st.markdown(" ".join(badges))


def view_fact(view: str | None) -> str:
    """Return how a page states its view."""
    return "All views" if view in (None, "all") else f"{label_words(view)} view"
