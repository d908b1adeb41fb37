"""Colours that mean the same everywhere: the four label values, the models, the marks around them.

Every mark colour has a contrast of at least 3:1 against its background. The models' hues are those of Okabe and Ito
(2008), darkened where white paper needs it; colour never stands alone: lines have dashes, points have symbols.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cxr_core.pack.model_lines import FURTHER, PAPER, place_and_dash

VALUE_SYMBOLS = {"not_mentioned": "circle", "negative": "square", "uncertain": "diamond", "positive": "triangle-up"}


@dataclass(frozen=True)
class Palette:
    """The colours of one appearance.

    `quiet` fills large areas of "not mentioned", inside an outline of its colour; `further` colours stand in where two
    lines of one chart would share nearly one of the models'.
    """

    dark: bool
    background: str
    ink: str
    faint: str
    grid: str
    values: dict[str, str]
    quiet: str
    models: tuple[str, ...]
    further: tuple[str, ...]
    sequential: tuple[str, ...]
    gain: str
    loss: str


@dataclass(frozen=True)
class LineStyle:
    """How a model is drawn on every page."""

    color: str
    dash: str
    width: float


LIGHT = Palette(
    dark=False,
    background="#FFFFFF",
    ink="#141A21",
    faint="#66707E",
    grid="#E6E9EE",
    values={"not_mentioned": "#8A94A3", "negative": "#4C78A8", "uncertain": "#C48600", "positive": "#C2410C"},
    quiet="#CDD3DB",
    models=PAPER,
    further=FURTHER,
    sequential=("#F7F9FB", "#DCE6F0", "#B9CFE4", "#94B6D6", "#6F9BC6"),
    gain="#0072B2",
    loss="#D55E00",
)
DARK = Palette(
    dark=True,
    background="#12161C",
    ink="#E4E9EF",
    faint="#98A3B1",
    grid="#2A323D",
    values={"not_mentioned": "#7D8899", "negative": "#7FB0E6", "uncertain": "#F2B632", "positive": "#FB7A45"},
    quiet="#333C48",
    models=("#3D9BDB", "#E69F00", "#1DB48A", "#E08DBB", "#8CCBF2", "#FF7F2A", "#F0E442"),
    further=("#B79CFF", "#D2A679", "#FF6B81"),
    sequential=("#161D26", "#1E2C3B", "#274059", "#315475", "#3B6791"),
    gain="#56B4E9",
    loss="#FF7F2A",
)


def palette(dark: bool) -> Palette:
    """Return the colours of the dark or of the light appearance."""
    return DARK if dark else LIGHT


def in_both(color: Callable[[Palette], str]) -> str:
    """Return a colour for CSS of which the browser takes the one for the appearance that it shows.

    So words and what is behind them change together, and never wait for the server.
    """
    return f"light-dark({color(LIGHT)}, {color(DARK)})"


def model_style(name: str, ensemble: bool, colors: Palette) -> LineStyle:
    """Return the line of a model, decided by nothing but its name, so that it is the same on every page."""
    if ensemble:
        return LineStyle(colors.ink, "solid", 3.5)
    place, dash = place_and_dash(name)
    return LineStyle(colors.models[place], dash, 2)
