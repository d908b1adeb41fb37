"""Labels beside groups as a table whose cells are text on the colours of a heat map: whom a model serves worse."""

import html
from functools import partial

from cxr_core.evaluation.gaps import GapMatrix, GroupGap
from cxr_core.evaluation.results import LEVEL
from cxr_core.schema import label_words
from cxr_core.words import counted, signed
from dashboard.charts.model_grid import MATRIX_STYLE, heat
from dashboard.charts.palette import in_both

WORSE, BETTER, ALIKE, UNTESTED = "▼", "▲", "·", "?"
LEGEND = {
    WORSE: "worse than all other images, beyond chance",
    BETTER: "better, beyond chance",
    ALIKE: "not told from the rest",
    UNTESTED: "not tested",
}
#: The gap that has the strongest colour.
_LARGEST = 0.3


def gap_sign(cell: GroupGap, figure: str) -> str:
    """Return the sign of a gap: of what its corrected p says, not of how large it looks."""
    gap = cell.gaps[figure]
    if gap.p_corrected is None or gap.value is None:
        return UNTESTED
    if gap.p_corrected >= LEVEL:
        return ALIKE
    return WORSE if gap.value < 0 else BETTER


def legend_words() -> str:
    """Return what the signs mean, on one line."""
    return " · ".join(f"{sign} {words}" for sign, words in LEGEND.items())


def gap_matrix_html(matrix: GapMatrix, figure: str) -> str:
    """Return the gaps of one figure (`sensitivity` or `specificity`) as one HTML table, groups as columns.

    A cell has the sign, the gap, and below it the group's own share; what stands behind it is its tooltip.
    """
    heads = "".join(f'<th scope="col">{html.escape(group)}</th>' for group in matrix.groups)
    rows = "".join(
        f'<tr><th scope="row">{html.escape(label_words(label))}</th>'
        f"{''.join(_cell(cell, figure) for cell in cells.values())}</tr>"
        for label, cells in matrix.labels.items()
    )
    return (
        f'<style>{MATRIX_STYLE}</style><div class="models-by-labels" role="region" tabindex="0" '
        f'aria-label="Gap in {figure} of each group on each label"><table><thead><tr>'
        f'<th scope="col">{figure.capitalize()}</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _cell(cell: GroupGap, figure: str) -> str:
    document, gap = cell.as_json(), cell.gaps[figure]
    words, share = html.escape(cell_words(cell, figure)), document[figure]
    if gap.value is None:
        own = "" if share is None else f"<small>{share:.3f}</small>"
        return f'<td title="{words}">–{own}</td>'
    strong = ' class="strong"' if gap_sign(cell, figure) in (WORSE, BETTER) else ""
    background = in_both(partial(heat, min(abs(gap.value) / _LARGEST, 1.0), 0.0))
    return (
        f'<td{strong} style="background: {background}" title="{words}">{gap_sign(cell, figure)} '
        f"{signed(gap.value)}<small>{share:.3f}</small></td>"
    )


def cell_words(cell: GroupGap, figure: str) -> str:
    """Return what stands behind a cell, in words."""
    document, gap = cell.as_json(), cell.gaps[figure]
    words = [f"{counted(cell.n, 'image')} of {counted(cell.n_patients, 'patient')}, {cell.n_positive:,} positive"]
    if gap.ci_corrected and gap.p_corrected is not None:
        low, high = gap.ci_corrected
        words.append(f"gap {signed(gap.value or 0.0)} (corrected interval {signed(low)} to {signed(high)})")
        words.append(f"p corrected {gap.p_corrected:.3f}")
    reasons = [why for name, why in document["why"].items() if name == "threshold" or name.startswith(figure)]
    return "; ".join([*words, *dict.fromkeys(reasons)])
