"""Whether the predicted probabilities mean what they say."""

import streamlit as st

from cxr_core.tasks.evaluate import LabelCurves
from dashboard.charts.details import calibration_chart
from dashboard.charts.frame import CONFIG
from dashboard.charts.palette import model_style
from dashboard.parts import help_texts
from dashboard.parts.formatting import three_digits
from dashboard.parts.theme import colors


def calibration_section(curves: LabelCurves, ensemble: bool) -> None:
    """Show how often predicted probabilities come true."""
    found = curves.calibration()
    if found.why:
        st.info(f"There is no calibration: {found.why}.", icon=":material/info:")
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        style = model_style(curves.model, ensemble, colors())
        chart = calibration_chart(found.bins, style, colors())
        st.plotly_chart(chart, config=CONFIG, key="calibration", alt="Calibration of the predicted probabilities")
    with right:
        st.metric(
            "Brier score",
            three_digits(found.brier),
            border=True,
            help="Mean squared error of the probability; 0 is perfect.",
        )
        st.metric("Expected calibration error", three_digits(found.ece), border=True, help=help_texts.CALIBRATION)
        st.caption(
            "A model that was trained with uncertain images as positives or as half positives aims at other "
            "probabilities than the certain labels show: it may rank well and yet be off here."
        )
