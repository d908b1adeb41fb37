"""One operating point on both curves, and what it does."""

import pandas as pd
import streamlit as st

from cxr_core.evaluation.operating import OperatingPoint, Share
from cxr_core.schema import label_words
from cxr_core.tasks.evaluate import LabelCurves
from dashboard.charts.curves import Point, drawn_pr, drawn_roc, pr_chart, roc_chart
from dashboard.charts.details import score_chart
from dashboard.charts.frame import CONFIG
from dashboard.charts.palette import model_style
from dashboard.parts.calibration_section import calibration_section
from dashboard.parts.formatting import NOTHING, count, three_digits, with_interval
from dashboard.parts.judged import CURVES, POINT, Judged
from dashboard.parts.operating_input import operating_threshold, redraw_after_click, take_clicked_threshold
from dashboard.parts.page_frame import page_fragment
from dashboard.parts.theme import colors

SCORE_BINS = 24
SHARES = {
    "Sensitivity": ("sensitivity", "Of the images with the finding, the share that is called positive."),
    "Specificity": ("specificity", "Of the images without it, the share that is called negative."),
    "PPV": ("ppv", "Of the images called positive, the share that has the finding."),
    "NPV": ("npv", "Of the images called negative, the share that is free of it."),
    "F1": ("f1", "Harmonic mean of sensitivity and PPV."),
}


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
    point = _point(curves)
    style = model_style(curves.model, judged.ensemble, colors())
    words, n = label_words(curves.label), f"n = {count(figures.n)}"
    left, right = st.columns(2)
    with left:
        title = f"ROC · AUC {three_digits(figures.roc_auc)} · {n}"
        line = drawn_roc(curves, curves.roc, style)
        chart = roc_chart(title, [line], colors(), _on_roc(point))
        _clickable(chart, "roc", f"ROC curve of {words}; a click sets the operating point")
    with right:
        title = f"Precision-recall · AP {three_digits(figures.average_precision)} · {n}"
        line = drawn_pr(curves, curves.pr, style)
        chart = pr_chart(title, [line], curves.prevalence, colors(), _on_pr(point))
        _clickable(chart, "pr", f"Precision-recall curve of {words}; a click sets the operating point")


@page_fragment(POINT)
def point_section(judged: Judged) -> None:
    """Show the tabs on what the operating point does, and on the calibration of the same scores."""
    curves = judged.curves()
    if curves is None:
        return
    point = _point(curves)
    matrix, uncertain, calibrated = st.tabs(
        ["At this point", "Where the uncertain fall", "Calibration"],
        key="point-tab",
        on_change="rerun",
        bind="query-params",
    )
    if matrix.open and point is not None:
        with matrix:
            _confusion(point, curves.scale)
    if uncertain.open and point is not None:
        with uncertain:
            _uncertain(curves, point)
    if calibrated.open:
        with calibrated:
            calibration_section(curves, judged.ensemble)


def _point(curves: LabelCurves) -> OperatingPoint | None:
    threshold = operating_threshold(curves)
    return None if threshold is None else curves.operating_point(threshold)


def _clickable(chart: object, key: str, alt: str) -> None:
    st.plotly_chart(
        chart,
        config=CONFIG,
        key=key,
        alt=alt,
        on_select=lambda: take_clicked_threshold(key),
        selection_mode="points",
    )


def _on_roc(point: OperatingPoint | None) -> Point | None:
    if point is None or point.specificity.value is None or point.sensitivity.value is None:
        return None
    sensitivity, specificity = point.sensitivity.value, point.specificity.value
    return Point(1 - specificity, sensitivity, f"sensitivity {sensitivity:.3f}, specificity {specificity:.3f}")


def _on_pr(point: OperatingPoint | None) -> Point | None:
    if point is None or point.ppv.value is None or point.sensitivity.value is None:
        return None
    recall, precision = point.sensitivity.value, point.ppv.value
    return Point(recall, precision, f"recall {recall:.3f}, precision {precision:.3f}")


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
    with right:
        shares = {name: getattr(point, attribute) for name, (attribute, _) in SHARES.items()}
        rows = {name: [_share(share), SHARES[name][1]] for name, share in shares.items()}
        table = pd.DataFrame.from_dict(rows, orient="index", columns=["Value (95 % interval)", "Meaning"])
        table.index.name = "At this point"
        st.table(table, border="horizontal", alt="Sensitivity, specificity and predictive values")
    st.caption("The point is chosen and judged on the same images, so these figures are a little too hopeful.")


def _share(share: Share) -> str:
    return with_interval(share.value, share.ci) if share.value is not None else f"{NOTHING} ({share.why})"


def _uncertain(curves: LabelCurves, point: OperatingPoint) -> None:
    """Show how the uncertain images score beside the certain ones."""
    chart = score_chart(curves.scores_by_value(), point.threshold, f"predicted {curves.scale}", SCORE_BINS, colors())
    st.plotly_chart(chart, config=CONFIG, key="scores", alt="Spread of the scores of each label value")
    rows = [
        {
            "Label value": label_words(s.value),
            "Images": count(s.n),
            "Called positive": count(s.n_above),
            "Share (95 % interval)": with_interval(s.share, s.ci),
        }
        for s in curves.shares_above(point.threshold).values()
    ]
    table = pd.DataFrame(rows).set_index("Label value")
    st.table(table, border="horizontal", alt="Share of each label value above the operating point")
