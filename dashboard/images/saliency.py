"""Where a model looks in a film, as an overlay: Grad-CAM, and beside it the same with random weights as a check.

A process of its own computes the map and stays warm; whoever does not wait for it any more costs nothing.
"""

from dataclasses import dataclass

import streamlit as st

from cxr_core.errors import CxrError
from cxr_core.models.overlay import OPACITY, covering, ring
from cxr_core.schema import LABELS, label_words
from cxr_core.tasks.image_pictures import Film
from cxr_core.tasks.saliency import looked_at
from dashboard.images.map_words import LABEL_HELP, LOOKS_HELP, OPACITY_HELP, RANDOM_HELP, drawn_words
from dashboard.images.viewer import Over
from dashboard.shared.choices import Options, forget, select_one
from dashboard.shared.formatting import plain
from dashboard.shared.waiting import waiting

_PAGE_LABEL = "label-of-the-page-with-map"


@dataclass(frozen=True)
class WantedMap:
    """Which map is wanted, and how much of the film its strongest place hides (0 to 1)."""

    model: str
    label: str
    random: bool
    opacity: float

    @property
    def named(self) -> str:
        """What the map is of, in words."""
        return label_words(self.label).lower() + (" by random weights" if self.random else "")


def map_input(label: str, model: str | None) -> WantedMap | None:
    """Show whether a map is wanted, of which label and how strong; None where none is."""
    if model is None:
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        looks = st.toggle("Where the model looks", key="map", bind="query-params", help=LOOKS_HELP)
        if not looks:
            return None
        random = st.toggle("Random weights", key="map-random", bind="query-params", help=RANDOM_HELP)
        chosen = _label_input(label)
    usual = round(100 * OPACITY)
    percent = st.slider(
        "Opacity of the map (%)", 0, 100, usual, 5, key="map-opacity", bind="query-params", help=OPACITY_HELP
    )
    return WantedMap(model, chosen, random, percent / 100)


def _label_input(label: str) -> str:
    """Show of which label the map is: that of the page, until another is chosen here."""
    if st.session_state.setdefault(_PAGE_LABEL, label) != label:
        forget("map-label")
        st.session_state[_PAGE_LABEL] = label
    return select_one("Map of", Options(LABELS, "map-label", label_words), label, LABEL_HELP, width=220)


def over_film(source: str, film: Film, wish: WantedMap) -> Over | None:
    """Return what lies over a film, and say what is drawn; or None, and in one sentence why there is no map."""
    asked = ("map", source, wish.model, wish.label, wish.random, film.jpg)
    try:
        with waiting(asked, "Computing where the model looks …"):
            looked = looked_at(source, wish.model, wish.label, film.jpg, wish.random)
    except CxrError as error:
        st.info(plain(error), icon=":material/visibility_off:")
        return None
    st.caption(plain(drawn_words(wish.model, label_words(wish.label), looked, wish.random)))
    size = film.picture.size
    return Over(covering(looked, size), wish.opacity, ring(looked, size))
