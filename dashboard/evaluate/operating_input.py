"""Where the score is cut: by a wanted sensitivity or specificity, Youden's index, a slider, a number or a click."""

import numpy as np
import streamlit as st

from cxr_core.evaluation.arrays import FloatArray
from cxr_core.tasks.evaluate import LabelCurves
from dashboard.shared import help_texts

WAYS = {
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "youden": "Youden",
    "threshold": "Threshold",
    "fixed": "Number",
}
DEFAULTS = {"sensitivity": 0.8, "specificity": 0.9}
#: The engine wants a share above 0.
LEAST = 1e-9
#: Stops of the threshold's slider between the lowest and the highest score.
STEPS = 200


def operating_threshold(curves: LabelCurves) -> float | None:
    """Show how the operating point is chosen and the input that moves it; return where the score is cut.

    None, and no input, where ROC is undefined.
    """
    if curves.roc is None:
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        way = st.segmented_control(
            "Set the operating point by",
            WAYS,
            default="sensitivity",
            required=True,
            format_func=WAYS.__getitem__,
            key="point-by",
            bind="query-params",
            help=help_texts.OPERATING_WAY,
            width="content",
        )
        if way == "youden":
            st.caption("Largest sensitivity + specificity, found on these very images.")
            return curves.threshold(way)
        if way == "threshold":
            return _by_slider(curves)
        if way == "fixed":
            return _by_number(curves)
        return curves.threshold(way or "sensitivity", max(_wanted_share(way or "sensitivity"), LEAST))


def take_clicked_threshold(chart: str) -> None:
    """Cut at the vertex that was clicked on in the chart of that key; a click beside the curves changes nothing."""
    picked = st.session_state[chart]["selection"]["points"]
    thresholds = [point["customdata"] for point in picked if point.get("customdata") is not None]
    if thresholds:
        threshold = float(np.ravel(thresholds[0])[0])
        if st.session_state["point-by"] != "fixed":
            # The input that carries it into the URL is not on the page yet, and a first value is not carried there.
            st.query_params["cut"] = str(threshold)
        st.session_state["cut"] = threshold
        st.session_state["point-by"] = "fixed"


def _wanted_share(key: str) -> float:
    return st.slider(
        f"Operating point: {key} of at least",
        0.0,
        1.0,
        DEFAULTS[key],
        0.01,
        key=key,
        bind="query-params",
        help=help_texts.OPERATING_POINT,
    )


def _by_slider(curves: LabelCurves) -> float:
    low, high = _range(curves.rows.scores)
    # Each label and model has its own range of scores.
    st.session_state["threshold"] = float(np.clip(st.session_state.get("threshold", _usual(curves)), low, high))
    return st.slider(
        f"Operating point: {curves.scale} of at least",
        low,
        high,
        step=(high - low) / STEPS,
        format="%.3f",
        key="threshold",
        bind="query-params",
        help=help_texts.OPERATING_POINT,
    )


def _by_number(curves: LabelCurves) -> float:
    st.session_state.setdefault("cut", _usual(curves))
    return st.number_input(
        f"Call positive at a {curves.scale} of at least",
        step=0.05,
        format="%.4f",
        key="cut",
        bind="query-params",
        help=help_texts.OPERATING_POINT,
        width=260,
    )


def _range(scores: FloatArray) -> tuple[float, float]:
    low, high = float(scores.min()), float(scores.max())
    return (low, high) if high > low else (low, low + 1)


def _usual(curves: LabelCurves) -> float:
    """Return where scores of this scale are usually cut."""
    return {"logit": 0.0, "probability": 0.5}.get(curves.scale, float(np.median(curves.rows.scores)))
