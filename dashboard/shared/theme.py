"""Which of the two appearances the reader sees, and what every page mends in what Streamlit draws."""

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
#: What downloads beside the buttons of the pages, where that is not off: a table of Streamlit's, a chart of Plotly's.
_DOWNLOAD = (
    '[data-testid="stElementToolbarButton"]:has([aria-label^="Download"])',
    '.modebar-btn[data-title^="Download"]',
)
#: What the folded sidebar hides is not in the order of Tab: the focus would go where nobody sees it.
_FOLDED = '[data-testid="stSidebar"][data-collapsed="true"]'
_FOLDED_SIDEBAR_OUT_OF_REACH = f"{_FOLDED}, {_FOLDED} * {{ visibility: hidden !important; }}"
#: Beside an index Streamlit draws the first cells further left than their head.
_CELLS_UNDER_THEIR_HEADS = '[data-testid="stTableStyledTable"] th + td { padding-left: 1rem !important; }'


def colors() -> Palette:
    """Return the palette of the reader's appearance."""
    return palette(dark=st.context.theme.type == "dark")


def house_style() -> None:
    """Mend what Streamlit draws, on every page."""
    rules = [_readable_words_on_buttons(), _CELLS_UNDER_THEIR_HEADS, _FOLDED_SIDEBAR_OUT_OF_REACH]
    if not downloads_offered():
        rules.append(f"{', '.join(_DOWNLOAD)} {{ display: none !important; }}")
    st.html(f"<style>{' '.join(rules)}</style>")


def _readable_words_on_buttons() -> str:
    """Write dark on what the primary colour fills where it is light: on the dark page, for tabs and links."""
    inside = ", ".join(f"{element}, {element} *" for element in _FILLED)
    return f"{inside} {{ color: {in_both(lambda colors: colors.background)} !important; }}"


def narrow_screens_last(key: str) -> DeltaGenerator:
    """Return a container that on a phone stands below all that its page shows beside it."""
    place = st.container(key=key)
    wrapper = f'[data-testid="stLayoutWrapper"]:has(> .st-key-{key})'
    place.html(f"<style>@media (max-width: {NARROW_PIXELS}px) {{ {wrapper} {{ order: 1; }} }}</style>")
    return place
