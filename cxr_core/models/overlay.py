"""A map of where a model looks, laid over the film: orange where it looks, a ring at the place that made the score."""

import numpy as np
from PIL import Image, ImageDraw

from cxr_core.models.activation_maps import LabelMap

#: Orange of Okabe and Ito, which everybody tells from grey.
_COLOR = (230, 159, 0)
#: How much of the film the strongest place hides, unless another share is asked for.
OPACITY = 0.6
#: How far outside the ring, how wide, and in which colour: seen on black and on white.
_RING = ((1, 4, "white"), (0, 2, "black"))


def overlaid(film: Image.Image, looked: LabelMap, opacity: float = OPACITY, mark: bool = True) -> Image.Image:
    """Return the film in RGB with the map over it, its largest value covering `opacity` of the grey below.

    Between the centres of the map's places its values are interpolated; each place is as wide as the film over the
    map's columns.

    Args:
        film: grey.
        looked: the map.
        opacity: from 0 (the film alone) to 1.
        mark: whether a ring stands around the place that adds most to the score.
    """
    mask = _mask(looked, film.size, opacity)
    drawn = Image.composite(Image.new("RGB", film.size, _COLOR), film.convert("RGB"), mask)
    if mark:
        _ring(drawn, looked)
    return drawn


def covering(looked: LabelMap, size: tuple[int, int]) -> Image.Image:
    """Return in RGBA what `overlaid` lays over a film of `size` (width, height) at opacity 1, without the ring."""
    drawn = Image.new("RGBA", size, _COLOR)
    drawn.putalpha(_mask(looked, size, 1.0))
    return drawn


def ring(looked: LabelMap, size: tuple[int, int]) -> tuple[float, float, float]:
    """Return (x, y, radius) of the ring around the marked place, in pixels of a film of `size` (width, height)."""
    return *centre(looked, size), min(size) / 25


def centre(looked: LabelMap, size: tuple[int, int]) -> tuple[float, float]:
    """Return (x, y) of the middle of the marked place, in pixels of a film of `size` (width, height)."""
    rows, columns = looked.map.shape
    row, column = looked.place
    return (column + 0.5) * size[0] / columns, (row + 0.5) * size[1] / rows


def _mask(looked: LabelMap, size: tuple[int, int], opacity: float) -> Image.Image:
    places = Image.fromarray(np.round(_scaled(looked.map) * opacity * 255).astype(np.uint8))
    return places.resize(size, Image.Resampling.BILINEAR)


def _scaled(values: np.ndarray) -> np.ndarray:
    largest = float(values.max())
    scaled: np.ndarray = values / largest if largest > 0 else np.zeros_like(values)
    return scaled


def _ring(drawn: Image.Image, looked: LabelMap) -> None:
    x, y, radius = ring(looked, drawn.size)
    draw = ImageDraw.Draw(drawn)
    for outside, width, color in _RING:
        reach = radius + outside
        draw.ellipse((x - reach, y - reach, x + reach, y + reach), outline=color, width=width)
