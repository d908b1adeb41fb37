"""Soft shapes on a pixel grid: what all phantoms are drawn with.

Two-dimensional fields are float32 and use only + - * /, square root, floor, minimum and maximum. These are
exact on every processor, while `exp` or `sin` may differ in the last bit with the vector instructions at
hand: so the same seed gives the same bytes everywhere.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: float32 at run time; the type is wider because NumPy's stubs take a Python float for a float64.
Field = NDArray[np.floating[Any]]
Point = tuple[float, float]


@dataclass(frozen=True)
class Raster:
    """Pixel centres in body coordinates: x from -1 (image left) to 1, y from -1 (top) to 1, before the pose.

    `x` is (n, n) because a tilted midline shifts each row; `y` is (n, 1).
    """

    x: Field
    y: Field
    axis: Field
    tilt: float

    @classmethod
    def make(cls, size: int, shift: Point, zoom: float, tilt: float) -> "Raster":
        """Return a grid of `size` x `size` pixels on a body moved by `shift`, enlarged by `zoom`, leaning by `tilt`."""
        axis = (np.arange(size) + 0.5) * 2.0 / size - 1.0
        across = ((axis - shift[0]) / zoom).astype(np.float32)
        down = ((axis - shift[1]) / zoom).astype(np.float32)[:, None]
        return cls(across[None, :] - np.float32(tilt) * down, down, across, tilt)

    def box(self, low: Point, high: Point) -> tuple[slice, slice]:
        """Return the (rows, columns) that cover the rectangle from `low` to `high`, both (x, y)."""
        top, bottom = np.searchsorted(self.y[:, 0], (low[1], high[1]))
        lean = sorted((self.tilt * low[1], self.tilt * high[1]))
        left, right = np.searchsorted(self.axis, (low[0] + lean[0], high[0] + lean[1]))
        return slice(int(top), int(bottom)), slice(int(left), int(right))


def rise(distance: Field, softness: float) -> Field:
    """Return 0 where `distance` < -softness, 1 where > softness, and a smooth step between."""
    t = np.clip(distance * np.float32(0.5 / softness) + np.float32(0.5), 0, 1)
    return t * t * (3 - 2 * t)


def bump(x: Field, y: Field, centre: Point, radii: Point) -> Field:
    """Return a smooth hill, 1 at the centre and 0 outside the ellipse."""
    across = (x - centre[0]) / radii[0]
    down = (y - centre[1]) / radii[1]
    hill = np.maximum(1 - across * across - down * down, 0)
    return hill * hill


def ellipse(x: Field, y: Field, centre: Point, radii: Point, softness: float, lean: float = 0.0) -> Field:
    """Return 1 inside the ellipse and 0 outside, with a soft edge; `lean` shears it sideways with depth."""
    across = (x - centre[0] - lean * (y - centre[1])) / radii[0]
    down = (y - centre[1]) / radii[1]
    radius = np.sqrt(across * across + down * down)
    return rise((1 - radius) * min(radii), softness)


def bands(phase: Field, share: float, softness: float) -> Field:
    """Return stripes, one for each whole number of `phase`, that take `share` (0..1) of the room."""
    away = np.abs(phase - np.floor(phase) - np.float32(0.5)) * 2
    return rise(share - away, softness)


def add_line(field: Field, grid: Raster, start: Point, end: Point, width: float, amount: float) -> None:
    """Add a soft straight line, up to about `width` to each side, to `field`, in place."""
    add_path(field, grid, [start, end], width, amount)


def add_path(field: Field, grid: Raster, points: list[Point], width: float, amount: float) -> None:
    """Add a soft line through `points` to `field`, in place; where its pieces meet it is no brighter."""
    across, down = [p[0] for p in points], [p[1] for p in points]
    rows, columns = grid.box(
        (min(across) - 2 * width, min(down) - 2 * width), (max(across) + 2 * width, max(down) + 2 * width)
    )
    x, y = grid.x[rows, columns], grid.y[rows]
    nearest = np.full(x.shape, np.float32(9))
    for start, end in pairwise(points):
        piece = _squared_distance(x - start[0], y - start[1], end[0] - start[0], end[1] - start[1])
        nearest = np.minimum(nearest, piece)
    field[rows, columns] += np.float32(amount) * np.maximum(1 - nearest * np.float32(0.5 / (width * width)), 0)


def _squared_distance(x: Field, y: Field, run: float, fall: float) -> Field:
    """Squared distance from the points (x, y) to the straight piece from (0, 0) to (run, fall)."""
    along = np.clip((x * run + y * fall) / max(run * run + fall * fall, 1e-9), 0, 1)
    away_x, away_y = x - along * run, y - along * fall
    squared: Field = away_x * away_x + away_y * away_y
    return squared


def curve(points: list[Point], pieces: int = 10) -> list[Point]:
    """Return `pieces` + 1 points on the Bézier curve with three or four control points."""
    t = np.linspace(0.0, 1.0, pieces + 1)
    weights: Any = (
        [(1 - t) ** 2, 2 * t * (1 - t), t**2]
        if len(points) == 3
        else [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3]
    )
    across = sum(w * p[0] for w, p in zip(weights, points, strict=True))
    down = sum(w * p[1] for w, p in zip(weights, points, strict=True))
    return [(float(a), float(d)) for a, d in zip(across, down, strict=True)]


def doubled(field: Field) -> Field:
    """Return `field` with twice the pixels along each side, interpolated linearly."""
    return _doubled_rows(_doubled_rows(field).T).T


def _doubled_rows(field: Field) -> Field:
    out = np.empty((2 * field.shape[0], field.shape[1]), np.float32)
    near = field * np.float32(0.75)
    far = field * np.float32(0.25)
    out[0::2] = near
    out[1::2] = near
    out[2::2] += far[:-1]
    out[1:-1:2] += far[1:]
    out[0] += far[0]
    out[-1] += far[-1]
    return out


def cloud(rng: np.random.Generator, cells: int, doublings: int) -> Field:
    """Return smooth noise of about unit spread, (cells * 2**doublings) pixels along each side."""
    field = rng.standard_normal((cells, cells), dtype=np.float32) * np.float32(1.6)
    for _ in range(doublings):
        field = doubled(field)
    return field
