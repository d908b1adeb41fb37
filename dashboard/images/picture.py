"""The picture of a film, and over it, where that is wanted, the map of where a model looks.

It is redrawn alone, so that a choice of the map moves nothing else of the page.
"""

import streamlit as st

from cxr_core.errors import CxrError
from cxr_core.tasks.image_facts import ImageFacts
from cxr_core.tasks.image_pictures import film_of
from dashboard.images.saliency import map_input, over_film
from dashboard.images.viewer import show_film
from dashboard.shared.formatting import plain
from dashboard.shared.page_frame import page_fragment


@page_fragment("film-picture")
def picture_part(source: str, found: ImageFacts, label: str, model: str | None) -> None:
    """Show an image, as it is chosen here, and over it where a model looks for a label."""
    try:
        film = film_of(source, found.path, found.names_in_records)
    except CxrError as error:
        st.info(plain(error), icon=":material/image_not_supported:")
        return
    # Each has its place whatever is chosen, so that the browser keeps its level, window and zoom.
    choices, place, told = st.container(), st.container(), st.container()
    with choices:
        wish = map_input(label, model)
    alt, over = "The film", None
    if wish is not None:
        with told:
            over = over_film(source, film, wish)
        alt = alt if over is None else f"The film with the map of {wish.named}"
    with place:
        show_film("film", film.picture, alt, over)
