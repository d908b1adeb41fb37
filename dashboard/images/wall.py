"""The wall of thumbnails, 24 a page, and what becomes of a click."""

import math
from collections.abc import Iterator

import streamlit as st

from cxr_core.schema import label_words
from cxr_core.tasks.image_record import why_no_record
from cxr_core.tasks.images import ImageGroup
from cxr_core.words import counted
from dashboard.images.wall_html import Tile, wall_html
from dashboard.shared.formatting import plain, three_digits
from dashboard.shared.image_links import A_PAGE, images_address, thumbnail_address


def wall(group: ImageGroup) -> None:
    """Show the images of a group, a page of them."""
    if not group.total:
        st.info("No image is in this group. Choose another group, label or cut.", icon=":material/info:")
        return
    pages = math.ceil(group.total / A_PAGE)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = _page_input(pages)
        patients = st.toggle("Show paths", key="paths", bind="query-params", help="Paths may tell patients.")
    first = (number - 1) * A_PAGE
    last = min(first + A_PAGE, group.total)
    st.caption(plain(f"{first + 1:,} to {last:,} of {counted(group.total, 'image')}"))
    st.html(wall_html(_tiles(group, first, patients)))


def _tiles(group: ImageGroup, first: int, patients: bool) -> Iterator[Tile]:
    """Yield the tiles of a page of the wall."""
    source = group.query.source
    for place, image in enumerate(group.part(first, A_PAGE), start=first + 1):
        words = [label_words(image.value) if image.value else "No value"]
        words += [] if image.score is None else [f"{group.scale} {three_digits(image.score)}"]
        former = image.names_in_records
        missing = why_no_record(source, image.path, former)
        told = [*words, *([image.path] if patients else []), *([f"No picture: {missing}"] if missing else [])]
        picture = "" if missing else thumbnail_address(source, image.path, former)
        yield Tile(place, " · ".join(told), image.why, picture, _address(image.path) if image.image else "")


def _address(path: str) -> str:
    """Return the address of this page as it stands, with an image large."""
    return images_address(st.query_params.to_dict() | {"image": path})


def open_image(path: str) -> None:
    """Put an image into the address, so that the page shows it large."""
    st.query_params["image"] = path


def _page_input(pages: int) -> int:
    if "wall-page" in st.session_state:
        st.session_state["wall-page"] = max(1, min(int(st.session_state["wall-page"]), pages))
    return int(
        st.number_input(
            f"Page of {pages:,}",
            1,
            pages,
            1,
            key="wall-page",
            bind="query-params",
            width=160,
            help="24 images a page, the most telling first.",
        )
    )
