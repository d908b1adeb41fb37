"""One operating point on both curves, and what it does."""

import pandas as pd
import streamlit as st

from cxr_core.evaluation.operating import OperatingPoint, Share
from cxr_core.schema import label_words
from cxr_core.tasks.evaluate import LabelCurves
from dashboard.charts.curves import on_pr, on_roc, pr_of_label, roc_of_label
from dashboard.charts.details import score_chart
from dashboard.charts.frame import BARE, CONFIG
from dashboard.charts.palette import model_style
from dashboard.parts import help_texts
from dashboard.parts.calibration_section import calibration_section
from dashboard.parts.formatting import NOTHING, count, percent, with_interval
from dashboard.parts.judged import CURVES, POINT, Judged
from dashboard.parts.operating_input import operating_threshold, redraw_after_click, take_clicked_threshold
from dashboard.parts.page_frame import page_fragment
from dashboard.parts.subgroup_section import subgroup_section
from dashboard.parts.theme import colors

SCORE_BINS = 24
TABS = ("At this point", "Where the uncertain fall", "Calibration", "Subgroups")
SHARES = {"Sensitivity": "sensitivity", "Specificity": "specificity", "PPV": "ppv", "NPV": "npv", "F1": "f1"}
AT_PREVALENCE = ("ppv", "npv", "f1")


@page_fragment(CURVES)
def curves_section(judged: Judged) -> None:
    """Show ROC and precision-recall side by side, square, with the operating point on both."""
    redraw_after_click()
    figures, curves = judged.figures(), judged.curves()
    if figures is None or curves is None:
        return
    if curves.roc is None or curves.pr is None:
        reason = curves.why.get("roc_auc") or curves.why.get("average_precision")
        st.info(f"The curves are undefined: {reason}.", icon=":material/info:")
        return
    point = judged_point(curves)
    style = model_style(curves.model, judged.ensemble, colors())
    words = label_words(curves.label)
    left, right = st.columns(2)
    with left:
        chart = roc_of_label(figures, curves, style, colors(), on_roc(point))
        _clickable(chart, "roc", f"ROC curve of {words}; a click sets the operating point")
    with right:
        chart = pr_of_label(figures, curves, style, colors(), on_pr(point))
        _clickable(chart, "pr", f"Precision-recall curve of {words}; a click sets the operating point")


def _clickable(chart: object, key: str, alt: str) -> None:
    st.plotly_chart(
        chart,
        config=BARE,
        key=key,
        alt=alt,
        on_select=lambda: take_clicked_threshold(key),
        selection_mode="points",
    )


@page_fragment(POINT)
def point_section(judged: Judged) -> None:
    """Show the tabs on what the operating point does, and on how far to trust the scores."""
    curves = judged.curves()
    if curves is None:
        return
    point = judged_point(curves)
    matrix, uncertain, calibrated, groups = st.tabs(TABS, key="point-tab", on_change="rerun", bind="query-params")
    if matrix.open and point is not None:
        with matrix:
            _confusion(point, curves.scale)
    if uncertain.open and point is not None:
        with uncertain:
            _uncertain(curves, point)
    if calibrated.open:
        with calibrated:
            calibration_section(curves, judged.ensemble, judged.evaluation().doubt)
    if groups.open:
        with groups:
            subgroup_section(judged, point)


def judged_point(curves: LabelCurves) -> OperatingPoint | None:
    """Return what cutting the score where the reader chose does; None where ROC is undefined."""
    threshold = operating_threshold(curves)
    return None if threshold is None else curves.operating_point(threshold)


def _confusion(point: OperatingPoint, scale: str) -> None:
    left, right = st.columns([2, 3], gap="large")
    with left:
        matrix = pd.DataFrame(
            {
                "Called positive": [count(point.tp), count(point.fp)],
                "Called negative": [count(point.fn), count(point.tn)],
            },
            index=["Finding present", "Finding absent"],
        )
        matrix.index.name = f"Cut at {scale} ≥ {point.threshold:.3f}".replace("-", "−")
        st.table(matrix, border="horizontal", alt="Confusion matrix at the operating point")
        prevalence = st.number_input(
            "Prevalence elsewhere (%)",
            min_value=0.01,
            max_value=99.99,
            value=None,
            step=0.5,
            placeholder="as in these images",
            key="prevalence",
            bind="query-params",
            help=help_texts.OTHER_PREVALENCE,
            width=260,
        )
    with right:
        st.table(shares_table(point, prevalence), border="horizontal", alt="Sensitivity to F1 at the operating point")
    st.caption(help_texts.POINT_CAPTION)


def shares_table(point: OperatingPoint, elsewhere: float | None) -> pd.DataFrame:
    """Return sensitivity to F1 in words; where a prevalence in per cent is given, also as they are at it."""
    here = f"At {percent(point.prevalence)} prevalence (95 % interval)"
    table = {here: {name: _share(getattr(point, attribute)) for name, attribute in SHARES.items()}}
    if elsewhere is not None:
        values = point.at_prevalence(elsewhere / 100)
        shares = {
            name: _share(getattr(values if attribute in AT_PREVALENCE else point, attribute))
            for name, attribute in SHARES.items()
        }
        table[f"At {elsewhere:g} %"] = shares
    frame = pd.DataFrame(table)
    frame.index.name = "Figure"
    return frame


def _share(share: Share) -> str:
    return with_interval(share.value, share.ci) if share.value is not None else f"{NOTHING} ({share.why})"


def _uncertain(curves: LabelCurves, point: OperatingPoint) -> None:
    """Show how the uncertain images score beside the certain ones."""
    chart = score_chart(curves.scores_by_value(), point.threshold, f"predicted {curves.scale}", SCORE_BINS, colors())
    st.plotly_chart(chart, config=CONFIG, key="scores", alt="Spread of the scores of each label value")
    st.table(uncertain_table(curves, point), border="horizontal", alt="Share of each label value called positive")


def uncertain_table(curves: LabelCurves, point: OperatingPoint) -> pd.DataFrame:
    """Return how many images of each label value the operating point calls positive."""
    rows = [
        {
            "Label value": label_words(s.value),
            "Images": count(s.n),
            "Called positive": count(s.n_above),
            "Share (95 % interval)": with_interval(s.share, s.ci),
        }
        for s in curves.shares_above(point.threshold).values()
    ]
    return pd.DataFrame(rows).set_index("Label value")
