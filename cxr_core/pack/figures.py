"""The figures of a pack as SVG and PDF, the same bytes from the same document: no browser, no date, no chance."""

import io
import itertools
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from cxr_core.pack.document import Document
from cxr_core.pack.model_lines import FURTHER, PAPER, place_and_dash

INK, FAINT, GRID, WARM = "#141A21", "#66707E", "#E6E9EE", "#C2410C"
#: Inches: the width of a page of A4 between margins.
WIDTH = 7.1
PANELS_IN_A_ROW = 4
#: Matplotlib's settings and fonts are of the whole process.
_LOCK = threading.Lock()
_STYLE: Any = {
    **{"font.family": "DejaVu Sans", "font.size": 7, "axes.titlesize": 7.5, "axes.labelsize": 7},
    **{"xtick.labelsize": 6, "ytick.labelsize": 6, "legend.fontsize": 7, "lines.linewidth": 1.1},
    **{"axes.edgecolor": FAINT, "axes.linewidth": 0.6, "axes.grid": True, "grid.color": GRID, "grid.linewidth": 0.5},
    **{"axes.axisbelow": True, "xtick.color": FAINT, "ytick.color": FAINT, "text.color": INK},
    **{"axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False},
    **{"svg.hashsalt": "cxr-lab", "svg.fonttype": "path", "pdf.fonttype": 42, "path.simplify": True},
    **{"text.parse_math": False, "axes.unicode_minus": True, "figure.dpi": 100, "savefig.dpi": 100},
}
_NO_DATE: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": "CXR Lab"},
    "pdf": {"CreationDate": None, "ModDate": None, "Creator": "CXR Lab", "Producer": "CXR Lab"},
}


def drawn(make: Callable[[], Figure]) -> dict[str, bytes]:
    """Return a figure as `svg` and as `pdf`.

    Args:
        make: makes the figure, under the look of the pack and not that of the machine.
    """
    with _LOCK, warnings.catch_warnings(), mpl.rc_context():
        warnings.simplefilter("ignore")  # a letter that the font lacks is drawn as a box
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        figure = make()
        return {kind: _written(figure, kind) for kind in _NO_DATE}


def _written(figure: Figure, kind: str) -> bytes:
    out = io.BytesIO()
    canvas = FigureCanvasSVG(figure) if kind == "svg" else FigureCanvasPdf(figure)
    canvas.print_figure(out, format=kind, metadata=_NO_DATE[kind])
    return out.getvalue()


def lines_of(document: Document) -> dict[str, dict[str, Any]]:
    """Return how the line of each model is drawn; a colour that another one has gives way to a further one."""
    lines: dict[str, dict[str, Any]] = {}
    free = itertools.cycle(FURTHER)
    for model in document["models"]:
        place, dash = place_and_dash(model["name"])
        marks = [float(part.removesuffix("px")) / 2 for part in dash.split(",")] if dash != "solid" else []
        line: dict[str, Any] = {"color": PAPER[place], "linestyle": (0, marks) if marks else "solid"}
        if model["ensemble"]:
            line = {"color": INK, "linestyle": "solid", "linewidth": 1.8}
        if any(line["color"] == other["color"] for other in lines.values()):
            line["color"] = next(free)
        lines[model["name"]] = line
    return lines


def panels(titles: Sequence[str], height: float = 1.75) -> tuple[Figure, list[Axes]]:
    """Return a figure with a panel for each title, four in a row, and room for a legend at its foot."""
    rows = max(-(-len(titles) // PANELS_IN_A_ROW), 1)
    figure = framed(height * rows + 0.45, left=0.55, bottom=0.75)
    for place, title in enumerate(titles):
        figure.add_subplot(rows, PANELS_IN_A_ROW, place + 1).set_title(title, loc="left")
    return figure, list(figure.axes)


def framed(height: float, left: float, bottom: float) -> Figure:
    """Return a figure as wide as a page and so high, with margins in inches: to measure texts takes seconds."""
    figure = Figure(figsize=(WIDTH, height))
    edges = {"left": left / WIDTH, "right": 1 - 0.12 / WIDTH, "bottom": bottom / height, "top": 1 - 0.25 / height}
    figure.subplots_adjust(**edges, wspace=0.3, hspace=0.45)
    return figure


def name_axes(axes: Sequence[Axes], x: str, y: str) -> None:
    """Name the axes where a reader looks: below the lowest panel of each column, and left of each row."""
    for place, axis in enumerate(axes):
        if place % PANELS_IN_A_ROW == 0:
            axis.set_ylabel(y)
        if place + PANELS_IN_A_ROW >= len(axes):
            axis.set_xlabel(x)


def legend(figure: Figure, axis: Axes) -> None:
    """Set the legend of one panel at the foot of the figure."""
    handles, names = axis.get_legend_handles_labels()
    columns = 2 if len(max(names, key=len, default="")) > 30 else 4
    figure.legend(handles, names, loc="lower center", ncols=min(len(names), columns), borderaxespad=0.2)
