"""Models beside each other in words, as the Compare page and its report show them.

`policies` says, in words, what uncertain labels meant in the training of each model.
"""

from collections.abc import Mapping

import pandas as pd

from cxr_core.evaluation.grid import BEHIND, BEST, MEAN, Grid
from cxr_core.evaluation.results import ALIKE, DIFFERENT, LEVEL, UNTESTED, Bounds, LabelComparison
from cxr_core.schema import label_words
from cxr_core.tasks.compare import Comparison
from cxr_core.tasks.grid import ModelGrid
from cxr_core.words import agreeing, counted
from dashboard.charts.heatmap import FIGURE_WORDS
from dashboard.shared.formatting import NOTHING, count, p_value, signed, with_interval
from dashboard.shared.short_names import left_out as left_out_of_names

TREATMENT = "Uncertain labels"
#: The columns that all labels decide together.
_OF_ALL = ("Beyond chance", "Corrected interval", "p corrected")
STATE_WORDS = {DIFFERENT: "yes", ALIKE: "not told from 0", UNTESTED: "not tested"}


def grid_notes(grids: ModelGrid, grid: Grid, names: Mapping[str, str]) -> list[str]:
    """Return what stands below a grid: what was not tested and why, for what the marks hold, what the names lack."""
    untested = [f"? Not tested: {words}." for words in by_reason(grid.untested)]
    left_out = [
        f"{counted(n, 'image')} of {model} left out, as others do not predict {agreeing(n, 'it', 'them')}."
        for model, n in grids.left_out.items()
        if n and model in grid.models
    ]
    shared = left_out_of_names(names)
    cut = [f"Names without their common beginning: {', '.join(shared)}."] if shared else []
    return [*untested, f"{counted(grid.n_rows, 'image')}. {grid.family}.", *left_out, *cut]


def difference_notes(found: Comparison) -> list[str]:
    """Return what stands below the paired differences: what was not tested and why, and for what p is corrected."""
    why = {label: row.why_untested for label, row in found.labels.items() if row.why_untested}
    untested = [f"× Not tested: {words}." for words in by_reason(why)]
    return [
        *untested,
        f"{found.family}. The corrected interval leaves out 0 exactly where the corrected p is below {LEVEL:g}; the "
        f"95 % interval and p are for one label alone. {counted(found.n_images, 'image')} that both predict.",
    ]


def difference_table(found: Comparison) -> pd.DataFrame:
    """Return the paired differences in words; what is not tested says so, its reason stands in `difference_notes`."""
    return pd.DataFrame([_difference_row(label, row) for label, row in found.labels.items()]).set_index("Label")


def difference_so_far(rows: Mapping[str, LabelComparison]) -> pd.DataFrame:
    """Return the paired differences of some labels in words, without what is corrected for all of them."""
    table = pd.DataFrame([_difference_row(label, row) for label, row in rows.items()]).set_index("Label")
    return table.drop(columns=list(_OF_ALL))


def difference_answer(found: Comparison) -> str:
    """Return in a sentence on how many of the tested labels the two models differ beyond chance."""
    by_state: dict[str, list[str]] = {DIFFERENT: [], ALIKE: [], UNTESTED: []}
    for label, row in found.labels.items():
        by_state[row.state].append(label_words(label).lower())
    real, tested = by_state[DIFFERENT], len(by_state[DIFFERENT]) + len(by_state[ALIKE])
    untested = f"; {len(by_state[UNTESTED])} not tested" if by_state[UNTESTED] else ""
    mean = f"mean difference {signed(found.mean.value)}"
    if found.mean.ci:
        mean += f" (95 % interval {signed(found.mean.ci[0])} to {signed(found.mean.ci[1])})"
    if not tested:
        return f"None of the {counted(len(found.labels), 'label')} can be tested; {mean}."
    names = ": " + ", ".join(real) if real else ""
    return f"A and B differ beyond chance on {len(real)} of {counted(tested, 'tested label')}{names}{untested}; {mean}."


def by_reason(why: Mapping[str, str]) -> list[str]:
    """Return label -> reason the other way round, in words: "Fracture, Pneumonia: only …"."""
    labels: dict[str, list[str]] = {}
    for label, reason in why.items():
        labels.setdefault(reason, []).append(label_words(label))
    return [f"{', '.join(named)}: {reason}" for reason, named in labels.items()]


def _difference_row(label: str, row: LabelComparison) -> dict[str, str]:
    return {
        "Label": label_words(label),
        "AUC(A) − AUC(B)": signed(row.difference),
        "Beyond chance": STATE_WORDS[row.state],
        "Corrected interval": _between(row.ci_corrected),
        "p corrected": p_value(row.p_corrected),
        "95 % interval": _between(row.ci),
        "p": p_value(row.p),
        "p (DeLong)": p_value(row.p_delong),
        "n (certain)": count(row.n),
    }


def _between(bounds: Bounds | None) -> str:
    # No-break spaces keep an interval on one line.
    return f"{signed(bounds[0])}\u00a0to\u00a0{signed(bounds[1])}" if bounds else NOTHING


def answer(grids: ModelGrid | None) -> str:
    """Return the title: which model has the largest mean, which cannot be told from it, which can.

    Where the models fall into several groups, of the largest group.
    """
    grid = max(grids.grids.values(), key=lambda one: len(one.models)) if grids and grids.grids else None
    means = [cell for cell in grid.cells.get(MEAN, {}).values() if cell.value is not None] if grid else []
    if grid is None or not means:
        return "Nothing to compare yet"
    top = max(means, key=lambda cell: cell.value or 0.0)
    what = f"mean {FIGURE_WORDS[grid.figure]} {with_interval(top.value, top.ci)}"
    if len(means) == 1:
        return f"{top.model}: {what}"
    if top.mark == UNTESTED:
        return f"{top.model} has the largest {what}; whether others differ is not tested: {top.why}"
    best = [cell.model for cell in means if cell.mark == BEST]
    each = {mark: sum(cell.mark == mark for cell in means) for mark in (ALIKE, BEHIND, UNTESTED)}
    said = {ALIKE: "cannot be told from it", BEHIND: agreeing(each[BEHIND], "ranks below it"), UNTESTED: "not tested"}
    others = ", ".join(f"{n} {said[mark]}" for mark, n in each.items() if n)
    return f"{' and '.join(best)} {agreeing(len(best), 'ranks best', 'rank best alike')}: {what}" + (
        f"; {others}" if others else ""
    )
