"""Which of the two appearances the reader sees."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.charts.palette import Palette, in_both, palette
from dashboard.shared.preferred import downloads_offered

#: Up to this width a screen has one column.
NARROW_PIXELS = 640
#: What Streamlit fills with the primary colour: buttons and the chosen options of a list.
_FILLED = (
    '[data-testid="stBaseButton-primary"]',
    '[data-testid="stBaseButton-primaryFormSubmit"]',
    '[data-testid="stMultiSelect"] [data-tag]',
)
#: What downloads beside the buttons of the pages: a table of Streamlit's, a chart of Plotly's.
_DOWNLOAD = (
    '[data-testid="stElementToolbarButton"]:has([aria-label^="Download"])',
    '.modebar-btn[data-title^="Download"]',
)


def colors() -> Palette:
    """Return the palette of the reader's appearance."""
    return palette(dark=st.context.theme.type == "dark")


def readable_words_on_buttons() -> None:
    """Write dark on what the primary colour fills where it is light: on the dark page, for tabs and links."""
    inside = ", ".join(f"{element}, {element} *" for element in _FILLED)
    st.html(f"<style>{inside} {{ color: {in_both(lambda colors: colors.background)} !important; }}</style>")


def no_downloads_by_tables_and_charts() -> None:
    """Take away the buttons by which Streamlit's tables and Plotly's charts would download, where downloads are off."""
    if not downloads_offered():
        st.html(f"<style>{', '.join(_DOWNLOAD)} {{ display: none !important; }}</style>")


def folded_sidebar_out_of_reach() -> None:
    """Take what the folded sidebar hides out of the order of Tab: the focus would go where nobody sees it."""
    folded = '[data-testid="stSidebar"][data-collapsed="true"]'
    st.html(f"<style>{folded}, {folded} * {{ visibility: hidden !important; }}</style>")


def narrow_screens_last(key: str) -> DeltaGenerator:
    """Return a container that on a phone stands below all that its page shows beside it."""
    place = st.container(key=key)
    wrapper = f'[data-testid="stLayoutWrapper"]:has(> .st-key-{key})'
    place.html(f"<style>@media (max-width: {NARROW_PIXELS}px) {{ {wrapper} {{ order: 1; }} }}</style>")
    return place
