"""The picture of a film: window and level, and over it, where that is wanted, the map of where a model looks.

It is redrawn alone, so that a slider moves nothing else of the page.
"""

import numpy as np
import streamlit as st
from PIL import Image

from cxr_core.errors import CxrError
from cxr_core.tasks.image_facts import ImageFacts
from cxr_core.tasks.image_pictures import film_of
from dashboard.images.saliency import map_input, with_map
from dashboard.shared.formatting import plain
from dashboard.shared.page_frame import page_fragment

_WINDOW = "Window and level: what is below is black, above white."


@page_fragment("film-picture")
def picture_part(source: str, found: ImageFacts, label: str, model: str | None) -> None:
    """Show an image, as it is chosen here, and over it where a model looks for a label."""
    try:
        film = film_of(source, found.path, found.names_in_records)
    except CxrError as error:
        st.info(plain(error), icon=":material/image_not_supported:")
        return
    low, high = st.slider("Grey values", 0, 255, (0, 255), key="window", help=_WINDOW)
    wish = map_input(label, model)
    shown = windowed(film.picture, low, high)
    if wish is None:
        st.image(shown, width="stretch", alt="The film")
    else:
        with_map(source, shown, film.jpg, wish)


def windowed(picture: Image.Image, low: int, high: int) -> Image.Image:
    """Return a picture whose grey values from `low` to `high` fill all from black to white."""
    grey = (np.asarray(picture, np.float64) - low) / max(1, high - low)
    return Image.fromarray((np.clip(grey, 0, 1) * 255).astype(np.uint8))
