"""A figure with its interval below it, in a box."""

import streamlit as st

from dashboard.shared.formatting import between, three_digits


def figure_metric(
    title: str, value: float | None, ci: tuple[float, float] | None, text: str, no_interval: str = "no interval"
) -> None:
    """Show a figure, its 95 % interval, and `text` as its explanation."""
    below = f"95 %: {between(*ci)}" if ci else no_interval
    st.metric(
        title, three_digits(value), delta=below or None, delta_color="off", delta_arrow="off", border=True, help=text
    )
