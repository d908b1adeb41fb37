"""Numbers in a link that no input can hold: `1e999` reads as infinity, at which Streamlit's inputs break."""

import math

import streamlit as st

from dashboard.shared import address
from dashboard.shared.formatting import plain

_MOST_SHOWN = 40


def leave_out_endless_numbers() -> None:
    """Take parameters that read as an infinite number out of the URL and say so; called before any input is drawn."""
    endless = {name: text for name in st.query_params for text in st.query_params.get_all(name) if _is_endless(text)}
    for name, text in endless.items():
        address.leave_out(name)
        shown = f"{plain(name[:_MOST_SHOWN])} = {plain(text[:_MOST_SHOWN])}"
        sentence = f"The link says {shown}, which is no number that can be used. It is left out."
        st.warning(sentence, icon=":material/link_off:")


def _is_endless(text: str) -> bool:
    try:
        return math.isinf(float(text))
    except ValueError:
        return False
