"""What whoever looks prefers, as pages ask for it.

A visit begins with it where the address says nothing at all: a link shows everybody the same, and leaves out what is
usual.
"""

from collections.abc import Sequence

import streamlit as st

from cxr_core.preferences import Preferences, preferences
from cxr_core.settings import settings
from dashboard.shared import address

_BEGUN = "preferences-that-the-visit-began-with"


def open_preferred_source(names: Sequence[str]) -> None:
    """Begin a visit with the preferred source; it stands in the address from then on."""
    preferred = _begun().source
    asked = "source" in st.session_state or "source" in st.query_params
    if not asked and preferred in names and preferred != names[0]:
        address.put_in("source", preferred)


def view_to_begin_with(views: Sequence[str], usual: str) -> tuple[str, bool]:
    """Return the preferred view where it is one of `views`, else the usual one; and whether the address must say it."""
    preferred = _begun().view
    found = preferred if preferred in views else usual
    return found, found != usual


def _begun() -> Preferences:
    """Return what this visit began with: nothing of its own where a link led to it."""
    if _BEGUN not in st.session_state:
        st.session_state[_BEGUN] = Preferences() if st.query_params else preferences()
    found: Preferences = st.session_state[_BEGUN]
    return found


def downloads_offered() -> bool:
    """Say whether pages offer downloads: the settings allow them, and whoever looks wants them."""
    return settings().downloads and preferences().downloads


def why_no_downloads() -> str:
    """Return in a sentence who switched downloads off."""
    if settings().downloads:
        return "You switched downloads off, under *Your preferences* on Sources."
    return "Downloads are switched off by the setting `downloads`."
