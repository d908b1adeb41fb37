"""A film in the browser, which spreads its grey values and enlarges it without a question to the server.

`viewer.html`, `.css` and `.js` beside this file are all that it needs; nothing is fetched from elsewhere.
"""

import io
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from PIL import Image


def _text(ending: str) -> str:
    return Path(__file__).with_suffix(ending).read_text(encoding="utf-8")


_viewer = st.components.v2.component("film-viewer", html=_text(".html"), css=_text(".css"), js=_text(".js"))


@dataclass(frozen=True, eq=False)
class Over:
    """What lies over a film: a picture as large as the film (RGBA), its opacity from 0 to 1, and a ring.

    `ring` is (x, y, radius) in pixels of the film.
    """

    picture: Image.Image
    opacity: float
    ring: tuple[float, float, float]


def show_film(
    key: str, picture: Image.Image, alt: str, over: Over | None = None, greys: tuple[int, int] | None = None
) -> None:
    """Show a film whose level, window and zoom are changed where it stands, by mouse or keyboard.

    Args:
        key: of the element; the film that stands there next keeps level and window.
        picture: grey, 8 bits.
        alt: what is read out in its place.
        over: what lies over it.
        greys: the values that become black and white; wherever another pair is given, the browser takes that.
    """
    data: dict[str, object] = {"film": _address(picture), "alt": alt, "greys": greys}
    if over is not None:
        data |= {"map": _address(over.picture), "opacity": over.opacity, "ring": over.ring}
    _viewer(key=key, data=data)


def _address(picture: Image.Image) -> str:
    content = io.BytesIO()
    picture.save(content, "PNG", compress_level=1)
    return f"data:image/png;base64,{b64encode(content.getvalue()).decode()}"
