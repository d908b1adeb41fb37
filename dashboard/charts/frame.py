"""What every Plotly figure has in common: margins, grid, title, hover; and the square axes of ROC and PR."""

from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go

from dashboard.charts.palette import Palette

#: Where a click on a bar or point leads, by its label and value: an address, with which what it knows of itself ends.
Leads = Callable[[str, str], str]
#: Pixels by which a further line lifts the lines of a title.
LINE = 18
MARGIN = {"l": 64, "r": 24, "t": 56, "b": 56}
#: Handed to every chart of the pages: no logo, a picture at the push of a button, no scroll traps.
CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "scrollZoom": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
    "toImageButtonOptions": {"format": "svg"},
}

#: For charts that are redrawn at every step of a slider: the row of buttons takes a seventh of the time of drawing.
BARE: dict[str, Any] = CONFIG | {"displayModeBar": False}


def figure(title: str, colors: Palette, height: int) -> go.Figure:
    """Return an empty figure with the house's title, margins and hover."""
    return go.Figure(layout=layout(title, colors, height))


def layout(title: str, colors: Palette, height: int) -> dict[str, Any]:
    """Return the layout of `figure`.

    A figure that is redrawn at every step of a slider is best made in one go from this: each later `update_…` of a
    Plotly figure costs milliseconds. The template is empty because everything is said here: Plotly's own would make
    up most of a small figure.
    """
    return {
        "template": "none",
        "title": _title(title, colors),
        "height": height,
        "margin": MARGIN,
        "hoverlabel": {"bgcolor": colors.background, "font": {"color": colors.ink}, "bordercolor": colors.faint},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": colors.faint, "activecolor": colors.ink},
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "title": {"text": ""}},
    }


def _title(text: str, colors: Palette) -> dict[str, Any]:
    place = {
        "x": 0,
        "xref": "container",
        "y": 1,
        "yref": "container",
        "yanchor": "top",
        "pad": {"t": 8 + LINE * text.count("<br>")},
    }
    return place | {"text": text, "font": {"size": 15, "color": colors.ink}}


def label_axis(colors: Palette) -> dict[str, Any]:
    """Return a vertical axis of names, the first on top."""
    ticks = {"color": colors.ink, "size": 12.5}
    return {"autorange": "reversed", "automargin": True, "gridcolor": colors.grid, "tickfont": ticks}


def unit_axis(title: str, colors: Palette) -> dict[str, Any]:
    """Return an axis from 0 to 1 in steps of 0.2."""
    return {
        "title": {"text": title, "font": {"color": colors.faint}},
        "range": [-0.01, 1.01],
        "constrain": "domain",
        # The margins are the same everywhere; measuring them would draw the chart twice.
        "automargin": False,
        "dtick": 0.2,
        "tickformat": ".1f",
        "showgrid": True,
        "gridcolor": colors.grid,
        "tickfont": {"color": colors.faint},
        "zeroline": False,
    }


def square_axes(x_title: str, y_title: str, colors: Palette) -> dict[str, Any]:
    """Return the layout of two axes from 0 to 1 of the same length."""
    y_axis = unit_axis(y_title, colors) | {"scaleanchor": "x", "scaleratio": 1}
    return {"xaxis": unit_axis(x_title, colors), "yaxis": y_axis}


def plain_axis(title: str, colors: Palette) -> dict[str, Any]:
    """Return an axis with a thin grid and a title that carries the unit."""
    return {
        "title": {"text": title, "font": {"color": colors.faint}},
        "gridcolor": colors.grid,
        "tickfont": {"color": colors.faint},
        "zeroline": False,
        "automargin": True,
    }
