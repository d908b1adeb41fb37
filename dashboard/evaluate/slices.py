"""Slices that nobody asked for: the groups of one or two columns that a model serves worse, of all that there are."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from cxr_core.schema import label_words
from cxr_core.tasks.slices import Slice, Slices
from cxr_core.words import counted
from dashboard.evaluate.card_input import ShownCard
from dashboard.evaluate.judged import Judged
from dashboard.shared import card_answers, detail_help
from dashboard.shared.downloads import download_table
from dashboard.shared.formatting import p_value, plain, signed, three_digits

#: Rows that are shown; the download has all.
_SHOWN = 12


def slices_part(judged: Judged, shown: ShownCard) -> None:
    """Offer a look through all slices, and show those that stand out most."""
    if not st.toggle("Slices nobody asked for", key="slices", bind="query-params", help=detail_help.SLICES):
        return
    found = card_answers.slices(
        judged.source.name, judged.model.name, shown.choice, judged.dataset, judged.view, judged.judge
    )
    st.markdown(f"**{plain(slices_answer(found))}**")
    if not found.found:
        return
    st.table(slices_table(found.found[:_SHOWN]), border="horizontal", alt="The slices that differ most from the rest")
    st.caption(plain(looked_words(found)))
    download_table(flat_slices(found), f"{found.model}-{found.dataset}-slices.csv", "Download all slices")


def slices_answer(found: Slices) -> str:
    """Return in a sentence how many slices are served worse beyond chance, and the first of them."""
    if not found.found:
        return "No slice can be tested: each has too few patients."
    if not found.worse:
        return f"No slice is served worse beyond chance, of {counted(found.looked_at, 'slice')}."
    first = found.worse[0]
    return (
        f"{counted(len(found.worse), 'gap')} to the worse beyond chance in {counted(found.looked_at, 'slice')}, the "
        f"clearest in {first.figure} for {label_words(first.label).lower()} in {first.group}."
    )


def looked_words(found: Slices) -> str:
    """Return what was looked through, and for how much the p are corrected."""
    small = f"; {counted(found.too_small, 'slice')} with too few patients left out" if found.too_small else ""
    tests = counted(found.tests, "test")
    return f"Looked through {', '.join(found.columns)} and each two of them{small}. Corrected for {tests} (Holm)."


def slices_table(slices: Sequence[Slice]) -> pd.DataFrame:
    """Return slices in words, one row each."""
    rows = []
    for one in slices:
        low, high = one.gap.ci_corrected or (None, None)
        rows.append(
            {
                "Slice": plain(one.group),
                "Label": label_words(one.label),
                "Figure": one.figure.capitalize(),
                "Here": three_digits(one.as_json()["value"]),
                "Gap to the rest (corrected interval)": f"{signed(one.gap.value)} ({signed(low)} to {signed(high)})",
                "p, corrected": p_value(one.gap.p_corrected),
                "n": f"{one.cell.n:,}",
            }
        )
    return pd.DataFrame(rows).set_index("Slice")


def flat_slices(found: Slices) -> pd.DataFrame:
    """Return all slices as numbers, an interval in two columns."""
    rows = []
    for one in found.found:
        row = one.as_json()
        for name in ("gap_ci", "gap_ci_corrected"):
            row[f"{name}_low"], row[f"{name}_high"] = row.pop(name) or (None, None)
        rows.append(row)
    return pd.DataFrame(rows)
