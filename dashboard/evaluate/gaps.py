"""Whom does the model serve worse? Every label in groups of images, each group beside all others."""

from typing import Any

import pandas as pd
import streamlit as st

from cxr_core.evaluation.gaps import FIGURES, GroupGap
from cxr_core.evaluation.results import LEVEL, Bounds
from cxr_core.schema import label_words
from cxr_core.tasks.gaps import Gaps
from cxr_core.words import counted
from dashboard.charts.gap_matrix import gap_matrix_html, legend_words
from dashboard.evaluate.card_input import card_input, keep_button
from dashboard.evaluate.judged import Judged
from dashboard.evaluate.slices import slices_part
from dashboard.evaluate.subgroups import column_words, usual_split
from dashboard.shared import card_answers, detail_help, engine, help_texts
from dashboard.shared.choices import Options, pick_one, select_several
from dashboard.shared.downloads import download_table
from dashboard.shared.formatting import NOTHING, p_value, plain, signed, with_interval


def gaps_section(judged: Judged) -> None:
    """Show the gaps of one figure as a matrix of labels and groups, and the answer above it."""
    ways = [way for way in engine.ways_to_split(judged.source.name) if way != "dataset"]
    shown = card_input(judged)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        options = Options(ways, "gaps-by", column_words, what="column", where=f" in {judged.source.name}")
        by = select_several("Groups by", options, [usual_split(ways)], help_texts.GAPS_BY)
        figure = pick_one(
            "Figure", Options(list(FIGURES), "gap-figure", str.capitalize), "sensitivity", help_texts.GAPS
        )
    if not by:
        st.info("Choose a column by which to split the images.", icon=":material/info:")
        return
    found = card_answers.gaps(
        judged.source.name, judged.model.name, tuple(by), shown.choice, judged.dataset, judged.view, judged.judge
    )
    st.markdown(f"**{plain(gaps_answer(found))}**")
    st.html(gap_matrix_html(found.matrix, figure))
    tests = counted(found.matrix.tests, "test")
    st.caption(f"{legend_words()}. Cut by {plain(shown.words)}, on {judged.dataset}. Corrected for {tests} (Holm).")
    st.caption(help_texts.GAPS_CAPTION)
    with st.expander("AUC and calibration of each group"):
        st.table(ranked_table(found), border="horizontal", alt="AUC of each group beside the rest, and its calibration")
        st.caption(detail_help.RANKED)
    slices_part(judged, shown)
    with st.container(horizontal=True):
        keep_button(judged, shown)
        download_table(flat_gaps(found), f"{judged.model.name}-{judged.dataset}-gaps.csv")


def gaps_answer(found: Gaps) -> str:
    """Return in a sentence how many groups are served worse beyond chance, and where the gap is largest."""
    tested = [
        (gap.value or 0.0, label, group, figure, gap)
        for label, cells in found.matrix.labels.items()
        for group, cell in cells.items()
        for figure, gap in cell.gaps.items()
        if gap.p_corrected is not None
    ]
    if not tested:
        return "No gap can be tested: the groups have too few patients."
    worse = [one for one in tested if one[0] < 0 and one[4].p_corrected is not None and one[4].p_corrected < LEVEL]
    if not worse:
        return f"No group is served worse beyond chance, of {counted(len(tested), 'gap')}."
    value, label, group, figure, gap = min(worse, key=lambda one: one[0])
    ends = _corrected(gap.ci_corrected, "corrected interval ")
    return (
        f"{counted(len(worse), 'gap')} of {len(tested):,} to the worse beyond chance, the largest in {figure} for "
        f"{label_words(label).lower()} in {group}: {signed(value)}{ends}."
    )


def _corrected(ends: Bounds | None, what: str = "") -> str:
    """Return the interval that belongs to a corrected p, behind a gap."""
    return f" ({what}{signed(ends[0])} to {signed(ends[1])})" if ends else ""


def ranked_table(found: Gaps) -> pd.DataFrame:
    """Return the AUC of each label in each group, its gap to the rest, and its calibration, in words."""
    rows = []
    for label, cells in found.areas.items():
        for group, area in cells.items():
            fit = found.calibration[label][group]
            gap = NOTHING if area.gap is None else signed(area.gap) + _corrected(area.gap_ci_corrected)
            rows.append(
                {
                    "Label": label_words(label),
                    "Group": plain(group),
                    "AUC": with_interval(area.roc_auc, area.roc_auc_ci),
                    "Gap to the rest (corrected interval)": gap,
                    "p, corrected": p_value(area.p_corrected),
                    "Slope": with_interval(fit.slope, fit.slope_ci),
                    "O:E": with_interval(fit.observed_to_expected, fit.observed_to_expected_ci),
                }
            )
    return pd.DataFrame(rows).set_index("Label")


def flat_gaps(found: Gaps) -> pd.DataFrame:
    """Return the matrix as numbers, one row a label and group."""
    return pd.DataFrame(
        [
            {"label": label, "group": group} | _flat(cell) | _flat_area(found, label, group)
            for label, cells in found.matrix.labels.items()
            for group, cell in cells.items()
        ]
    )


def _flat_area(found: Gaps, label: str, group: str) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, value in found.areas[label][group].as_json().items():
        row |= _bounded(name if name.startswith("roc_auc") else f"{name}_roc_auc", value)
    return row


def _flat(cell: GroupGap) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, value in cell.as_json().items():
        if name == "why":
            row[name] = "; ".join(f"{figure}: {reason}" for figure, reason in value.items())
        elif isinstance(value, dict):
            for figure, one in value.items():
                row |= _bounded(f"{figure}_{name}", one)
        else:
            row |= _bounded(name, value)
    return row


def _bounded(name: str, value: Any) -> dict[str, Any]:
    if not name.endswith(("_ci", "_ci_corrected")):
        return {name: value}
    low, high = value or (None, None)
    return {f"{name}_low": low, f"{name}_high": high}
