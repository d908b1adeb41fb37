"""The wall of thumbnails, 24 a page, and what becomes of a click."""

import math

import streamlit as st

from cxr_core.errors import CxrError
from cxr_core.schema import label_words
from cxr_core.tasks.image_pictures import thumbnail
from cxr_core.tasks.images import ImageGroup, ListedImage
from cxr_core.words import counted
from dashboard.shared.formatting import plain

A_PAGE, _PIXELS = 24, 160


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
    _thumbnails(group.query.source, group.part(first, A_PAGE), group.scale, patients, first)


def _thumbnails(source: str, images: tuple[ListedImage, ...], scale: str | None, patients: bool, first: int) -> None:
    """Show images as a wall; one that is chosen is opened."""
    with st.grid(8, min_column_width=110):
        for place, image in enumerate(images, start=first + 1):
            with st.container():
                _thumbnail(source, image, place)
                words = [label_words(image.value) if image.value else "No value"]
                words += [] if image.score is None else [f"{scale} {image.score:.3f}"]
                st.caption(plain(" · ".join([*words, *([image.path] if patients else [])])))
                st.button(
                    f"Open {place}",
                    key=f"open-{image.path}",
                    help=plain(image.why),
                    on_click=open_image,
                    args=(image.path,),
                    type="tertiary",
                    disabled=not image.image,
                )


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


def _thumbnail(source: str, image: ListedImage, place: int) -> None:
    try:
        content = thumbnail(source, image.path, _PIXELS)
    except CxrError as error:
        st.caption(plain(f"No picture: {error}"))
        return
    st.image(content, alt=f"Image {place}", width="stretch")
