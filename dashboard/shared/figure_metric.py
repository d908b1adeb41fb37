"""A figure with its interval below it, in a box."""

import streamlit as st

from dashboard.shared.formatting import three_digits


def figure_metric(
    title: str, value: float | None, ci: tuple[float, float] | None, text: str, no_interval: str = "no interval"
) -> None:
    """Show a figure, its 95 % interval, and `text` as its explanation."""
    # A dash between two bounds reads as a minus where one of them is below 0.
    between = " to " if ci and ci[0] < 0 else "–"
    below = f"95 %: {ci[0]:.3f}{between}{ci[1]:.3f}" if ci else no_interval
    st.metric(
        title, three_digits(value), delta=below or None, delta_color="off", delta_arrow="off", border=True, help=text
    )
