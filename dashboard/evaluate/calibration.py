"""Whether the predicted probabilities mean what they say."""

import streamlit as st

from cxr_core.tasks.details import label_fit, label_histogram
from cxr_core.tasks.evaluate import LabelCurves
from cxr_core.words import counted
from dashboard.charts.calibration import calibration_chart
from dashboard.charts.frame import CONFIG
from dashboard.charts.palette import model_style
from dashboard.shared import detail_help, help_texts
from dashboard.shared.choices import Options, pick_one
from dashboard.shared.figure_metric import figure_metric
from dashboard.shared.formatting import plain
from dashboard.shared.theme import colors

_AXES = {"probability": "Probability", "logit": "Logit"}


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
        options = Options(list(_AXES), "calibration-axis", _AXES.__getitem__)
        axis = pick_one("Axes by", options, "probability", detail_help.AXIS)
        style = model_style(curves.model, ensemble, colors())
        chart = calibration_chart(found.bins, style, colors(), label_histogram(curves), axis == "logit")
        st.plotly_chart(chart, config=CONFIG, key="calibration", alt="Calibration of the predicted probabilities")
    with right:
        bins = f"over {counted(len(found.bins), 'bin')} of about equal count"
        figure_metric("Brier score", found.brier, found.brier_ci, help_texts.BRIER)
        figure_metric("Expected calibration error", found.ece, found.ece_ci, f"{help_texts.CALIBRATION} Here {bins}.")
        _fit(curves)
        st.caption(f"{bins.capitalize()}. {help_texts.CALIBRATION_CAPTION}")
        if found.why_no_ci:
            st.caption(f"There is no interval: {plain(found.why_no_ci)}.")


def _fit(curves: LabelCurves) -> None:
    """Show slope, intercept and O:E, and say why one is missing."""
    fit = label_fit(curves)
    figure_metric("Calibration slope", fit.slope, fit.slope_ci, help_texts.SLOPE)
    figure_metric("Calibration intercept", fit.intercept, fit.intercept_ci, help_texts.INTERCEPT)
    figure_metric("Observed : expected", fit.observed_to_expected, fit.observed_to_expected_ci, help_texts.OE)
    for reason in dict.fromkeys(fit.why.values()):
        st.caption(f"Slope, intercept and O:E: {plain(reason)}.")
