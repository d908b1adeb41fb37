"""Models beside labels as a table whose cells are text on the colours of a heat map: for the page and its report.

Three states, each with its sign: the best or not told from it, told from it, not tested. Colour only says how large a
figure is.
"""

import html
from collections.abc import Callable, Mapping
from functools import partial

from cxr_core.evaluation.grid import BEHIND, BEST, MEAN, TO_COME, Grid, GridCell
from cxr_core.evaluation.results import ALIKE, UNTESTED
from cxr_core.schema import label_words
from cxr_core.words import decimals, signed
from dashboard.charts.heatmap import FIGURE_WORDS
from dashboard.charts.palette import Palette, in_both

#: Where a cell leads, by its model and label.
Leads = Callable[[str, str], str]
SIGNS = {BEST: "●", ALIKE: "●", BEHIND: "▼", UNTESTED: "?", TO_COME: ""}
LEGEND = {
    "●": "the best, or not told from it",
    "▼": "told from it: below the best beyond chance",
    "?": "not tested",
}

_INK, _BACKGROUND = in_both(lambda colors: colors.ink), in_both(lambda colors: colors.background)
#: How a table of labels and columns looks.
MATRIX_STYLE = f"""
.models-by-labels {{ overflow-x: auto; font-size: 0.875rem; color: {_INK}; }}
.models-by-labels table {{ border-collapse: separate; border-spacing: 2px; width: auto; }}
.models-by-labels th, .models-by-labels td {{ border: 0; padding: 0.25rem 0.5rem; color: {_INK}; }}
.models-by-labels thead th {{ vertical-align: bottom; text-align: center; min-width: 4.5rem; max-width: 8.5rem;
  overflow-wrap: anywhere; font-weight: 600; line-height: 1.2; }}
.models-by-labels th[scope=row] {{ position: sticky; left: 0; background: {_BACKGROUND}; text-align: left;
  font-weight: 400; max-width: 12rem; }}
.models-by-labels td {{ text-align: center; font-variant-numeric: tabular-nums; white-space: nowrap; }}
.models-by-labels td.words {{ white-space: normal; font-size: 0.75rem; max-width: 8.5rem; }}
.models-by-labels td a {{ color: {_INK}; }}
.models-by-labels td small {{ display: block; font-size: 0.75rem; }}
.models-by-labels .strong {{ font-weight: 700; }}
@media (max-width: 640px) {{
  .models-by-labels th[scope=row] {{ max-width: 6.5rem; font-size: 0.75rem; padding: 0.25rem 0.1rem; }}
  .models-by-labels th, .models-by-labels td {{ padding: 0.25rem 0.2rem; }}
  .models-by-labels thead th {{ font-size: 0.75rem; }}
}}
"""


def grid_html(grid: Grid, names: Mapping[str, str], policies: Mapping[str, str], leads: Leads | None = None) -> str:
    """Return a grid as one HTML table, models as columns, with the mean and the policies as the last rows.

    Args:
        grid: the figures and their marks.
        names: model -> what stands in the head of its column; the whole name is its tooltip.
        policies: model -> what uncertain labels meant in its training, in words.
        leads: the address that a cell leads to; None for none.
    """
    what = FIGURE_WORDS[grid.figure]
    rows = "".join(_row(label, list(cells.values()), what, leads) for label, cells in grid.cells.items())
    told = "".join(f'<td class="words">{html.escape(policies[model])}</td>' for model in grid.models)
    return (
        f'<style>{MATRIX_STYLE}</style><div class="models-by-labels" role="region" tabindex="0" '
        f'aria-label="{what} of each model on each label"><table><thead><tr><th scope="col">{what}</th>'
        f"{''.join(_head(model, names[model]) for model in grid.models)}</tr></thead><tbody>{rows}"
        f'<tr><th scope="row">Uncertain labels</th>{told}</tr></tbody></table></div>'
    )


def legend_words() -> str:
    """Return what the signs mean, on one line."""
    return " · ".join(f"{sign} {words}" for sign, words in LEGEND.items())


def cell_words(cell: GridCell) -> str:
    """Return what stands behind a cell, in words."""
    words = [f"95 % interval {cell.ci[0]:.3f} to {cell.ci[1]:.3f}"] if cell.ci else []
    if cell.label != MEAN:
        words.append(f"n = {cell.n:,} images, {cell.n_positive:,} positive")
    if cell.mark == BEST:
        words.append("the best")
    elif cell.difference_ci and cell.p_corrected is not None:
        low, high = cell.difference_ci
        words.append(
            f"{cell.difference:.3f} below the best (corrected: {signed(low)} to {signed(high)}, "
            f"p {cell.p_corrected:.3f})"
        )
    elif cell.why:
        words.append(f"not tested: {cell.why}")
    return "; ".join(words)


def _head(model: str, name: str) -> str:
    return f'<th scope="col" title="{html.escape(model)}">{html.escape(name)}</th>'


def _row(label: str, cells: list[GridCell], what: str, leads: Leads | None) -> str:
    name = "<b>Mean</b>" if label == MEAN else html.escape(label_words(label))
    return f'<tr><th scope="row">{name}</th>{"".join(_cell(cell, what, leads) for cell in cells)}</tr>'


def _cell(cell: GridCell, what: str, leads: Leads | None) -> str:
    if cell.value is None:
        return f'<td title="{html.escape(cell_words(cell))}">–</td>'
    strong = ' class="strong"' if cell.among_the_best else ""
    interval = f"<small>{cell.ci[0]:.3f}–{cell.ci[1]:.3f}</small>" if cell.label == MEAN and cell.ci else ""
    figure = f"{SIGNS[cell.mark]} {decimals(cell.value)}".strip()
    if leads is not None and cell.label != MEAN:
        figure = f'<a href="{html.escape(leads(cell.model, cell.label))}">{figure}</a>'
    background = in_both(partial(heat, cell.value, 0.5 if what == "AUC" else 0.0))
    return (
        f'<td{strong} style="background: {background}" title="{html.escape(cell_words(cell))}">{figure}{interval}</td>'
    )


def heat(value: float, lowest: float, colors: Palette) -> str:
    """Return the colour of a figure between `lowest` and 1, pale for low, as #RRGGBB."""
    steps = colors.sequential
    place = min(max((value - lowest) / (1 - lowest), 0.0), 1.0) * (len(steps) - 1)
    below = min(int(place), len(steps) - 2)
    ends = [[int(step[i : i + 2], 16) for i in (1, 3, 5)] for step in steps[below : below + 2]]
    mixed = (round(low + (high - low) * (place - below)) for low, high in zip(*ends, strict=True))
    return "#" + "".join(f"{channel:02X}" for channel in mixed)
