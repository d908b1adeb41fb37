"""One's own preferences on the Sources page: what every page begins with for this person alone."""

import streamlit as st

from cxr_core.caller import caller
from cxr_core.preferences import prefer, preferences
from cxr_core.schema import VIEWS, label_words
from cxr_core.settings import settings
from cxr_core.sources.registry import source_names
from dashboard.shared.actions import do_and_tell
from dashboard.shared.formatting import plain

_KEYS = {"source": "preferred-source", "view": "preferred-view", "downloads": "preferred-downloads"}


def preferences_section() -> None:
    """Show what whoever looks prefers once it is unfolded, and keep what is changed."""
    opened = st.expander("Your preferences", icon=":material/tune:", key="preferences", on_change="rerun")
    if opened.open:
        with opened:
            _inputs()


def _inputs() -> None:
    now = preferences()
    sources, views = ["", *source_names()], ["", *VIEWS]
    st.caption(f"For {plain(caller().name)} alone, kept in the workspace. A link shows everybody the same.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Source to begin with",
            sources,
            sources.index(now.source) if now.source in sources else 0,
            format_func=lambda name: plain(name) or "the first",
            key=_KEYS["source"],
            on_change=do_and_tell,
            args=(_keep, "source"),
            help="The source that a new visit begins with.",
            width=260,
        )
        st.selectbox(
            "View to begin with",
            views,
            views.index(now.view),
            format_func=lambda view: label_words(view) if view else "the usual one",
            key=_KEYS["view"],
            on_change=do_and_tell,
            args=(_keep, "view"),
            help="The view that Labels begins with, and Compare and Images where they have it.",
            width=220,
        )
        if settings().downloads:
            st.toggle(
                "Offer downloads",
                now.downloads,
                key=_KEYS["downloads"],
                on_change=do_and_tell,
                args=(_keep, "downloads"),
                help="Whether pages offer you tables, reports and pictures to take along.",
            )


def _keep(field: str) -> None:
    prefer(**{field: st.session_state[_KEYS[field]]})
