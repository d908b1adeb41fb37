"""The figures of one label in parts of the images: by view, data set, sex, age, or what else the label tables tell."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from cxr_core.evaluation.labels import FIGURES
from cxr_core.evaluation.operating import OperatingPoint
from cxr_core.evaluation.subgroups import Subgroup
from cxr_core.tasks.subgroups import Subgroups
from dashboard.evaluate.judged import Judged
from dashboard.shared import engine, help_texts
from dashboard.shared.choices import Options, pick_one
from dashboard.shared.downloads import download_table
from dashboard.shared.formatting import NOTHING, count, plain, with_interval

NO_INTERVAL = "Why no interval"
#: What is looked at first where a source has it.
FIRST = ("sex", "position", "age")


def subgroup_section(judged: Judged, point: OperatingPoint | None) -> None:
    """Show the figures in each group, at one threshold for all."""
    source, model = judged.source.name, judged.model.name
    ways = engine.ways_to_split(source)
    options = Options(ways, "split-by", column_words, what="column", where=f" in {source}")
    by = pick_one("Split the images by", options, usual_split(ways), help_texts.SUBGROUPS)
    threshold = None if point is None else point.threshold
    images = (judged.dataset, judged.view)
    found = engine.subgroups(source, model, judged.label, by, *images, threshold, judged.judge)
    st.table(subgroup_table(found), border="horizontal", alt=f"Figures of each group of images by {found.by}")
    st.caption(help_texts.SUBGROUP_CAPTION)
    download_table(flat_subgroups(found), f"{model}-{judged.label}-by-{found.by}.csv")


def usual_split(ways: Sequence[str]) -> str:
    """Return by what images are split where nobody has said."""
    return next((way for way in FIRST if way in ways), ways[0])


def column_words(column: str) -> str:
    """Return what a column is called on the page."""
    return column.replace("_", " ").capitalize()


def subgroup_table(found: Subgroups) -> pd.DataFrame:
    """Return the groups with their figures in words."""
    frame = pd.DataFrame([_row(group) for group in found.groups])
    if len(frame) and not frame[NO_INTERVAL].any():
        frame = frame.drop(columns=NO_INTERVAL)
    return frame.set_index("Group") if len(frame) else frame


def _row(group: Subgroup) -> dict[str, str]:
    figures, point = group.evaluation, group.point
    shares = (None, None) if point is None else (point.sensitivity, point.specificity)
    sensitivity, specificity = (with_interval(s.value, s.ci) if s else NOTHING for s in shares)
    return {
        "Group": plain(group.group),
        "AUC (95 % interval)": _figure(figures.roc_auc, figures.roc_auc_ci, figures.why.get("roc_auc")),
        "AP (95 % interval)": _figure(
            figures.average_precision, figures.average_precision_ci, figures.why.get("average_precision")
        ),
        "Sensitivity": sensitivity,
        "Specificity": specificity,
        "Positive": count(figures.n_positive),
        "n (certain)": count(figures.n),
        "Patients": count(figures.n_patients),
        NO_INTERVAL: "; ".join(_reasons(group)),
    }


def _reasons(group: Subgroup) -> list[str]:
    """Return why figures of the group that are defined have no interval."""
    figures, point = group.evaluation, group.point
    reasons = [figures.why.get(f"{name}_ci") for name in FIGURES if getattr(figures, name) is not None]
    if point is not None:
        reasons += [share.why_no_ci for share in (point.sensitivity, point.specificity) if share.value is not None]
    return list(dict.fromkeys(reason for reason in reasons if reason))


def _figure(value: float | None, ci: tuple[float, float] | None, why: str | None) -> str:
    return with_interval(value, ci) if value is not None else f"{NOTHING} ({plain(why)})"


def flat_subgroups(found: Subgroups) -> pd.DataFrame:
    """Return the groups as numbers, one row a group."""
    rows: list[dict[str, Any]] = []
    for group in found.groups:
        figures, point = group.evaluation, group.point
        row = {"group": group.group, "n": figures.n, "n_positive": figures.n_positive, "n_patients": figures.n_patients}
        for name in ("roc_auc", "average_precision"):
            row[name] = getattr(figures, name)
            row[f"{name}_low"], row[f"{name}_high"] = getattr(figures, f"{name}_ci") or (None, None)
        for name in ("sensitivity", "specificity", "ppv", "npv"):
            share = None if point is None else getattr(point, name)
            row[name] = None if share is None else share.value
            row[f"{name}_low"], row[f"{name}_high"] = (None, None) if share is None else share.ci or (None, None)
        rows.append(row | {"threshold": found.threshold})
    return pd.DataFrame(rows)
