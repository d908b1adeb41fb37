"""Which of the two appearances the reader sees."""

import streamlit as st

from dashboard.charts.palette import Palette, palette


def colors() -> Palette:
    """Return the palette of the reader's appearance."""
    return palette(dark=st.context.theme.type == "dark")
