"""Doing something with a run at another place than the one that its button stands for."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from cxr_core.runs.run import Run
from dashboard.shared.actions import action_button
from dashboard.shared.formatting import plain
from dashboard.shared.offered_places import called, offered_places, show_cost


def elsewhere(run: Run, words: str, key: str, act: Callable[[str, str], object], usual: str, help_text: str) -> None:
    """Offer each place but the usual one, with what it costs there; nothing where there is no other.

    Args:
        run: the run.
        words: what the button says that shows the places.
        key: what is done, as for `action_button`.
        act: does it; takes the ID of the run and a place.
        usual: the place that is offered by another button.
        help_text: what it does, for whoever hesitates.
    """
    others = [name for name in offered_places()[0] if name != usual]
    if not others:
        return
    with st.popover(words, icon=":material/alt_route:", key=f"ask-{key}-{run.run}", help=help_text):
        for name in others:
            action_button(plain(called(name)), run.run, f"{key}-{name}", partial(_at, act, name), help_text)
            show_cost(name)


def _at(act: Callable[[str, str], object], place: str, run_id: str) -> object:
    return act(run_id, place)
