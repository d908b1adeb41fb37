"""Models beside each other in words, as the Compare page and its report show them.

`policies` says, in words, what uncertain labels meant in the training of each model.
"""

from collections.abc import Mapping

import pandas as pd

from cxr_core.evaluation.grid import BEST, MEAN, Grid, GridCell
from cxr_core.evaluation.results import ALIKE, LabelComparison
from cxr_core.schema import label_words
from cxr_core.tasks.compare import Comparison
from cxr_core.tasks.grid import ModelGrid
from dashboard.charts.details import is_significant
from dashboard.charts.heatmap import FIGURE_WORDS
from dashboard.shared.figure_tables import WHY_MISSING, with_reasons_if_any
from dashboard.shared.formatting import NOTHING, count, p_value, signed, three_digits, with_interval

TREATMENT = "Uncertain labels"


def grid_caption(grids: ModelGrid, grid: Grid) -> str:
    """Return on how many images a grid stands, for which family its marks hold, and what was left out."""
    left_out = {model: grids.left_out[model] for model in grid.models if grids.left_out[model]}
    words = [f"{count(n)} images of {model} left out, as others do not predict them" for model, n in left_out.items()]
    return " · ".join([f"{count(grid.n_rows)} images", grid.family, *words])


def grid_table(grid: Grid, policies: Mapping[str, str]) -> pd.DataFrame:
    """Return a grid in words, the policies below; the best of a row and those not told from it are bold with a dot."""
    columns = {
        model: [_cell(cells[model], label == MEAN) for label, cells in grid.cells.items()] + [policies[model]]
        for model in grid.models
    }
    rows = ["**Mean**" if label == MEAN else label_words(label) for label in grid.cells]
    shown = pd.DataFrame(columns, index=[*rows, f"*{TREATMENT}*"])
    shown.index.name = "Label"
    return shown


def _cell(cell: GridCell, mean: bool) -> str:
    words = with_interval(cell.value, cell.ci) if mean else three_digits(cell.value)
    return f"**● {words}**" if cell.among_the_best else words


def difference_table(found: Comparison) -> pd.DataFrame:
    """Return the paired differences in words."""
    rows = [_difference_row(label, row) for label, row in found.labels.items()]
    return with_reasons_if_any(pd.DataFrame(rows).set_index("Label"))


def difference_answer(found: Comparison) -> str:
    """Return in a sentence on how many labels the two models differ beyond chance."""
    real = [label for label, row in found.labels.items() if is_significant(row)]
    mean = f"mean difference {signed(found.mean.value)}"
    if found.mean.ci:
        mean += f" (95 % interval {signed(found.mean.ci[0])} to {signed(found.mean.ci[1])})"
    names = ": " + ", ".join(label_words(label).lower() for label in real) if real else ""
    return f"A and B differ beyond chance on {len(real)} of {len(found.labels)} labels{names}; {mean}."


def _difference_row(label: str, row: LabelComparison) -> dict[str, str]:
    # No-break spaces keep an interval on one line.
    interval = f"{signed(row.ci[0])}\u00a0to\u00a0{signed(row.ci[1])}" if row.ci else NOTHING
    why = row.why.get("difference") or row.why.get("p") or ""
    return {
        "Label": label_words(label),
        "AUC(A) − AUC(B)": signed(row.difference),
        "95 % interval": interval,
        "p": p_value(row.p),
        "p corrected": p_value(row.p_corrected),
        "p (DeLong)": p_value(row.p_delong),
        "n (certain)": count(row.n),
        WHY_MISSING: why,
    }


def answer(grids: ModelGrid | None) -> str:
    """Return the title: which model has the largest mean, and how many cannot be told from it.

    Where the models fall into several groups, of the largest group.
    """
    grid = max(grids.grids.values(), key=lambda one: len(one.models)) if grids and grids.grids else None
    means = grid.cells.get(MEAN, {}) if grid else {}
    best = next((cell for cell in means.values() if cell.mark == BEST), None)
    if grid is None or best is None:
        return "Nothing to compare yet"
    alike = sum(cell.mark == ALIKE for cell in means.values())
    others = f"; {alike} cannot be told from it" if alike else ""
    return f"{best.model} ranks best: mean {FIGURE_WORDS[grid.figure]} {with_interval(best.value, best.ci)}{others}"
