"""The places that pages offer for a run: this machine, and those that `cxr.toml` describes."""

import streamlit as st

from cxr_core.errors import CxrError
from cxr_core.runs.places.check import definition_problems
from cxr_core.runs.places.registry import get_place, place_names
from cxr_core.runs.run import HERE
from dashboard.shared.formatting import plain


def offered_places() -> tuple[list[str], dict[str, str]]:
    """Return the places that a run can be handed over to, this machine first, and what is wrong with each other one."""
    try:
        names = place_names()
    except CxrError:  # the configuration is wrong as a whole, which the page says elsewhere
        return [HERE], {}
    wrong = {name: problem for name in names if name != HERE for problem in definition_problems(name)[:1]}
    return [name for name in names if name not in wrong], wrong


def called(place: str) -> str:
    """Return what a page calls a place."""
    return "This machine" if place == HERE else place


def show_cost(place: str) -> None:
    """Say what a run at an offered place costs, where it is billed."""
    if place != HERE and (cost := get_place(place).terms().cost):
        st.caption(f"A run costs: {plain(cost)}.")
