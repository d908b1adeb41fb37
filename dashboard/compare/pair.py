"""The two models whose difference is shown, on the page and in its report."""

import streamlit as st

from cxr_core.tasks.grid import ModelGrid
from dashboard.shared import help_texts
from dashboard.shared.choices import Options, select_one

_A, _B = "model-a", "model-b"


def default_pair(grids: ModelGrid) -> tuple[str, str] | None:
    """Return the first two models of the largest group, which predict the same images; None where no group has two."""
    largest = max(grids.grids.values(), key=lambda grid: len(grid.models)).models
    return (largest[0], largest[1]) if len(largest) > 1 else None


def pair_input(models: list[str], default: tuple[str, str]) -> tuple[str, str]:
    """Show the choice of two models and return it; raises `UsageError` when one of them is not there any more."""
    left, right = st.columns(2)
    where = " among the models that are chosen above"
    with left:
        first = select_one("Model A", Options(models, _A, what="model", where=where), default[0], help_texts.PAIRED)
    with right:
        second = select_one("Model B", Options(models, _B, what="model", where=where), default[1], help_texts.PAIRED)
    return first, second


def pair_of_session(grids: ModelGrid) -> tuple[str, str] | None:
    """Return the pair that was chosen in this session where it is still shown, else the default one."""
    shown = [model for grid in grids.grids.values() for model in grid.models]
    first, second = st.session_state.get(_A), st.session_state.get(_B)
    if first in shown and second in shown and first != second:
        return str(first), str(second)
    return default_pair(grids)
