"""Whether the predicted probabilities mean what they say."""

import streamlit as st

from cxr_core.tasks.details import label_fit
from cxr_core.tasks.evaluate import LabelCurves
from cxr_core.words import counted
from dashboard.charts.details import calibration_chart
from dashboard.charts.frame import CONFIG
from dashboard.charts.palette import model_style
from dashboard.shared import help_texts
from dashboard.shared.formatting import plain, three_digits
from dashboard.shared.theme import colors


def calibration_section(curves: LabelCurves, ensemble: bool, doubt: str | None) -> None:
    """Show how often predicted probabilities come true; `doubt` is said where they do not look like their scale."""
    found = curves.calibration()
    if doubt:
        st.warning(plain(doubt), icon=":material/warning:")
    if found.why:
        st.info(f"There is no calibration: {plain(found.why)}.", icon=":material/info:")
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        style = model_style(curves.model, ensemble, colors())
        chart = calibration_chart(found.bins, style, colors())
        st.plotly_chart(chart, config=CONFIG, key="calibration", alt="Calibration of the predicted probabilities")
    with right:
        bins = f"over {counted(len(found.bins), 'bin')} of about equal count"
        _metric("Brier score", found.brier, found.brier_ci, help_texts.BRIER)
        _metric("Expected calibration error", found.ece, found.ece_ci, f"{help_texts.CALIBRATION} Here {bins}.")
        _fit(curves)
        st.caption(f"{bins.capitalize()}. {help_texts.CALIBRATION_CAPTION}")
        if found.why_no_ci:
            st.caption(f"There is no interval: {plain(found.why_no_ci)}.")


def _fit(curves: LabelCurves) -> None:
    """Show slope, intercept and O:E, and say why one is missing."""
    fit = label_fit(curves)
    _metric("Calibration slope", fit.slope, fit.slope_ci, help_texts.SLOPE)
    _metric("Calibration intercept", fit.intercept, fit.intercept_ci, help_texts.INTERCEPT)
    _metric("Observed : expected", fit.observed_to_expected, fit.observed_to_expected_ci, help_texts.OE)
    for reason in dict.fromkeys(fit.why.values()):
        st.caption(f"Slope, intercept and O:E: {plain(reason)}.")


def _metric(name: str, value: float | None, ci: tuple[float, float] | None, text: str) -> None:
    below = f"95 %: {ci[0]:.3f}–{ci[1]:.3f}" if ci else "no interval"
    st.metric(name, three_digits(value), delta=below, delta_color="off", delta_arrow="off", border=True, help=text)
