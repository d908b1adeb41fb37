"""The answer of the Evaluate page: figures, the two curves and the operating point on both."""

import numpy as np
import streamlit as st

from cxr_core.evaluation.operating import OperatingPoint
from cxr_core.evaluation.results import LabelEvaluation
from cxr_core.schema import label_words
from cxr_core.tasks.evaluate import Evaluation, LabelCurves
from dashboard.charts.curves import Point, drawn_pr, drawn_roc, pr_chart, roc_chart
from dashboard.charts.frame import CONFIG
from dashboard.charts.palette import model_style
from dashboard.parts import help_texts
from dashboard.parts.formatting import count, percent, three_digits, with_interval
from dashboard.parts.theme import colors

DEFAULT_SENSITIVITY = 0.8


def answer(result: Evaluation, label: str) -> str:
    """Return the title: the AUC of the label, or why there is none."""
    words = label_words(label)
    figures = result.labels.get(label)
    if figures is None:
        return f"{words}: not predicted by this model"
    if figures.roc_auc is None:
        return f"{words}: no AUC, {figures.why.get('roc_auc', 'it is undefined')}"
    return f"{words}: AUC {with_interval(figures.roc_auc, figures.roc_auc_ci)}"


def figures_row(figures: LabelEvaluation) -> None:
    """Show AUC and AP with their intervals, and what they are based on."""
    with st.grid(5, min_column_width=150):
        _figure("ROC AUC", figures.roc_auc, figures.roc_auc_ci, help_texts.AUC)
        _figure("Average precision", figures.average_precision, figures.average_precision_ci, help_texts.AP)
        positive = f"{count(figures.n_positive)} positive"
        _metric("Prevalence", percent(figures.prevalence), positive, help_texts.PREVALENCE)
        _metric("Certain images", count(figures.n), f"{count(figures.n_patients)} patients", help_texts.LABEL)
        _metric("Uncertain images", count(figures.n_uncertain_dropped), "left out", help_texts.UNCERTAIN)
    if "roc_auc_ci" in figures.why and figures.roc_auc is not None:
        st.caption(f"There is no interval: {figures.why['roc_auc_ci']}.")


def _figure(name: str, value: float | None, ci: tuple[float, float] | None, text: str) -> None:
    below = f"95 %: {ci[0]:.3f}–{ci[1]:.3f}" if ci else "no interval"
    _metric(name, three_digits(value), below, f"{text} {help_texts.INTERVAL}")


def _metric(name: str, value: str, below: str, text: str) -> None:
    st.metric(name, value, delta=below, delta_color="off", delta_arrow="off", border=True, help=text)


def operating_input(curves: LabelCurves) -> OperatingPoint | None:
    """Show the slider and return what cutting the score there does; None where ROC is undefined."""
    if curves.roc is None:
        return None
    wanted = st.slider(
        "Operating point: sensitivity of at least",
        0.0,
        1.0,
        DEFAULT_SENSITIVITY,
        0.01,
        key="sensitivity",
        bind="query-params",
        help=help_texts.OPERATING_POINT,
    )
    place = int(np.argmax(curves.roc.tpr >= wanted))
    return curves.operating_point(float(curves.roc.thresholds[place]))


def curve_charts(figures: LabelEvaluation, curves: LabelCurves, point: OperatingPoint | None, ensemble: bool) -> None:
    """Show ROC and precision-recall side by side, square, with the operating point on both."""
    style = model_style(curves.model, ensemble, colors())
    n = f"n = {count(figures.n)}"
    left, right = st.columns(2)
    if curves.roc is None or curves.pr is None:
        reason = curves.why.get("roc_auc") or curves.why.get("average_precision")
        st.info(f"The curves are undefined: {reason}.", icon=":material/info:")
        return
    with left:
        line = drawn_roc(curves, curves.roc, style)
        chart = roc_chart(f"ROC · AUC {three_digits(figures.roc_auc)} · {n}", [line], colors(), _on_roc(point))
        st.plotly_chart(chart, config=CONFIG, key="roc", alt=f"ROC curve of {label_words(curves.label)}")
    with right:
        line = drawn_pr(curves, curves.pr, style)
        title = f"Precision-recall · AP {three_digits(figures.average_precision)} · {n}"
        chart = pr_chart(title, [line], curves.prevalence, colors(), _on_pr(point))
        st.plotly_chart(chart, config=CONFIG, key="pr", alt=f"Precision-recall curve of {label_words(curves.label)}")


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
