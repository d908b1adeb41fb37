"""One operating point on both curves, and what it does."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from cxr_core.evaluation.operating import OperatingPoint
from cxr_core.evaluation.readers import ReaderPoint
from cxr_core.evaluation.results import LabelEvaluation
from cxr_core.schema import label_words
from cxr_core.tasks.evaluate import Evaluation, LabelCurves
from dashboard.charts.curves import on_pr, on_roc, pr_of_label, roc_of_label
from dashboard.charts.details import score_chart
from dashboard.charts.frame import BARE, CONFIG
from dashboard.charts.palette import model_style
from dashboard.charts.readers import readers_on_pr, readers_on_roc
from dashboard.evaluate.calibration import calibration_section
from dashboard.evaluate.decisions import decisions_section
from dashboard.evaluate.image_links import leads_of, linked_confusion, linked_uncertain
from dashboard.evaluate.judged import POINT, Judged
from dashboard.evaluate.operating_input import Cut, operating_cut, take_clicked_threshold
from dashboard.evaluate.subgroups import subgroup_section
from dashboard.reports.document import report_html
from dashboard.reports.of_label import Subject, label_report
from dashboard.shared import engine, help_texts
from dashboard.shared.downloads import download_report
from dashboard.shared.formatting import plain
from dashboard.shared.page_frame import page_fragment
from dashboard.shared.point_tables import (
    SCORE_BINS,
    as_markdown,
    shares_table,
    why_no_intervals,
)
from dashboard.shared.theme import colors

TABS = ("At this point", "Where the uncertain fall", "Calibration", "Decisions", "Subgroups")


@page_fragment(POINT)
def operating_section(judged: Judged) -> None:
    """Show the curves of the label with one operating point on both, which the reader moves, and what it does."""
    result = judged.of_label()
    figures = result.labels.get(judged.label)
    if figures is None:
        return
    curves = judged.curves()
    cut = operating_cut(judged, curves)
    point = None if cut.threshold is None else curves.operating_point(cut.threshold)
    _curves(figures, curves, point, judged.model.is_ensemble, result.readers.get(judged.label, []))
    _details(judged, result, curves, point, cut)


def _curves(
    figures: LabelEvaluation,
    curves: LabelCurves,
    point: OperatingPoint | None,
    ensemble: bool,
    readers: Sequence[ReaderPoint],
) -> None:
    """Show ROC and precision-recall side by side, square, with the operating point and the readers on both."""
    if curves.roc is None or curves.pr is None:
        reason = curves.why.get("roc_auc") or curves.why.get("average_precision")
        st.info(f"The curves are undefined: {plain(reason)}.", icon=":material/info:")
        return
    style, words = model_style(curves.model, ensemble, colors()), label_words(curves.label)
    left, right = st.columns(2)
    with left:
        chart = roc_of_label(figures, curves, style, colors(), on_roc(point), readers_on_roc(readers))
        _clickable(chart, "roc", curves, f"ROC curve of {words}; a click sets the operating point")
    with right:
        chart = pr_of_label(figures, curves, style, colors(), on_pr(point), readers_on_pr(readers))
        _clickable(chart, "pr", curves, f"Precision-recall curve of {words}; a click sets the operating point")


def _clickable(chart: object, key: str, curves: LabelCurves, alt: str) -> None:
    st.plotly_chart(
        chart,
        config=BARE,
        key=key,
        alt=alt,
        on_select=lambda: take_clicked_threshold(key, curves),
        selection_mode="points",
    )


def _details(judged: Judged, result: Evaluation, curves: LabelCurves, point: OperatingPoint | None, cut: Cut) -> None:
    """Show the tabs on what the operating point does, and on how far to trust the scores."""
    shown = st.tabs(TABS, key="point-tab", on_change="rerun", bind="query-params")
    matrix, uncertain, calibrated, decided, groups = shown
    if matrix.open:
        with matrix:
            _confusion(judged, point, curves.scale) if point is not None else _no_point(cut)
    if uncertain.open:
        with uncertain:
            _uncertain(judged, curves, point, cut)
    if calibrated.open:
        with calibrated:
            calibration_section(curves, judged.model.is_ensemble, result.doubt)
    if decided.open:
        with decided:
            decisions_section(judged)
    if groups.open:
        with groups:
            subgroup_section(judged, point)
    report = partial(_report, judged, curves, point, cut.words, st.session_state.get("prevalence"))
    download_report(report, f"{curves.model}-{curves.label}-{judged.dataset}.html")


def _report(
    judged: Judged,
    curves: LabelCurves,
    point: OperatingPoint | None,
    chosen: str,
    elsewhere: float | None,
) -> bytes:
    """Make the report of what is shown; it runs when the button is pressed, outside the page's script."""
    result = judged.evaluation()
    subject = Subject(judged.source, judged.model, judged.view, judged.choice_note())
    where = (judged.source.name, judged.model.name, curves.label, judged.dataset, judged.view, judged.judge)
    beside = engine.reader_differences(*where) if result.readers else None
    return report_html(label_report(subject, result, curves, point, elsewhere, chosen, beside))


def _confusion(judged: Judged, point: OperatingPoint, scale: str) -> None:
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.markdown(as_markdown(linked_confusion(judged, point, scale)))
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
        st.markdown(as_markdown(shares_table(point, prevalence)))
    missing = why_no_intervals(point)
    st.caption(f"{help_texts.POINT_CAPTION} {plain(missing)}".strip())


def _no_point(cut: Cut) -> None:
    st.info(f"There is no operating point: {plain(cut.why)}.", icon=":material/info:")


def _uncertain(judged: Judged, curves: LabelCurves, point: OperatingPoint | None, cut: Cut) -> None:
    """Show how the uncertain images score beside the certain ones, without an operating point where there is none."""
    if point is None:
        _no_point(cut)
    scores, threshold = curves.scores_by_value(), None if point is None else point.threshold
    if any(of_value.size for of_value in scores.values()):
        leads = leads_of(judged, scores)
        chart = score_chart(scores, threshold, f"predicted {curves.scale}", SCORE_BINS, colors(), leads)
        st.plotly_chart(chart, config=CONFIG, key="scores", alt="Spread of the scores of each label value")
        st.caption("A click on a point opens the images of its value, from the page on that has those with its scores.")
    if point is not None:
        table = linked_uncertain(judged, curves, point)
        st.table(table, border="horizontal", alt="Share of each label value called positive")
