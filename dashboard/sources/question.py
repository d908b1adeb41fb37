"""A question about a file that can be read in two ways, with what can be answered."""

from collections.abc import Sequence

import streamlit as st

from cxr_core.errors import Choice
from dashboard.shared.formatting import plain

_MOST_BUTTONS = 8


def question_input(question: str, choices: Sequence[Choice], thing: str) -> int | None:
    """Show a question and return the place of the answer in `choices`; None while nothing is chosen.

    Args:
        question: what cannot be told from the file.
        choices: the answers.
        thing: the ID of what asks.
    """
    st.warning(plain(question), icon=":material/help:")
    places, key = range(len(choices)), f"answer-{thing}"
    if len(choices) > _MOST_BUTTONS:
        # A list to choose from shows its words as they are, unlike the rest.
        return st.selectbox("Which is meant?", places, None, lambda place: choices[place].words, key=key)
    return st.radio("Which is meant?", places, None, lambda place: plain(choices[place].words), key=key)
