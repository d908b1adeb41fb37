"""Records and models on Cloud Storage that the form names: a link may have filled it in, so a click comes first."""

import streamlit as st

from cxr_core.locations import is_remote
from cxr_core.tasks.allowed_places import check_input
from cxr_core.training.options import TrainOptions
from dashboard.shared.formatting import plain

_ASKED_FOR = "places-that-were-asked-for"
WAITING = "The run can be checked once you have asked for a look at Cloud Storage."


def unasked(options: TrainOptions) -> list[str]:
    """Return the places that the options name and that nobody of this session has asked for.

    Raises:
        UsageError: pages may not read such a place at all.
    """
    places = [place for place in (options.records, options.init_from) if is_remote(place)]
    for place in places:
        check_input("place of records or a model", place)
    return [place for place in places if place not in st.session_state.get(_ASKED_FOR, ())]


def look_button(places: list[str]) -> None:
    """Say what would be looked at, and with whose account, and wait for the click."""
    named = " and ".join(map(plain, places))
    st.info(
        f"{named} would be looked at over the network, with this machine's Google account.", icon=":material/cloud:"
    )
    st.button(
        "Look there",
        icon=":material/search:",
        key="look-there",
        on_click=_ask,
        args=(places,),
        help="Lists and counts the files. A link may have filled this in: look only at a place that you know.",
    )


def _ask(places: list[str]) -> None:
    st.session_state[_ASKED_FOR] = {*st.session_state.get(_ASKED_FOR, ()), *places}
