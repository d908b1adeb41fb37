"""Where the score is cut: by a wanted sensitivity or specificity, Youden's index, a slider, a number or a click."""

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from cxr_core.evaluation.arrays import FloatArray
from cxr_core.tasks.evaluate import LabelCurves
from dashboard.parts import help_texts

WAYS = {
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "youden": "Youden",
    "threshold": "Threshold",
    "fixed": "Number",
}
DEFAULT_SENSITIVITY = 0.8
DEFAULT_SPECIFICITY = 0.9
#: Stops of the threshold's slider between the lowest and the highest score.
STEPS = 200
#: 1 - fpr of a specificity that is reached exactly may fall short by rounding.
ROUNDING = 1e-12


def threshold_input(curves: LabelCurves) -> float | None:
    """Show how the operating point is chosen and return its threshold; None where ROC is undefined."""
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
        return _THRESHOLDS[way or "sensitivity"](curves)


def take_clicked_threshold(chart: str) -> None:
    """Cut at the vertex that was clicked on in the chart of that key; a click beside the curves changes nothing."""
    picked = st.session_state[chart]["selection"]["points"]
    thresholds = [point["customdata"] for point in picked if point.get("customdata") is not None]
    if thresholds:
        st.session_state["cut"] = float(np.ravel(thresholds[0])[0])
        st.session_state["point-by"] = "fixed"


def _by_sensitivity(curves: LabelCurves) -> float:
    wanted = _share_slider("Operating point: sensitivity of at least", "sensitivity", DEFAULT_SENSITIVITY)
    assert curves.roc is not None
    return float(curves.roc.thresholds[np.argmax(curves.roc.tpr >= wanted)])


def _by_specificity(curves: LabelCurves) -> float:
    wanted = _share_slider("Operating point: specificity of at least", "specificity", DEFAULT_SPECIFICITY)
    assert curves.roc is not None
    enough = np.flatnonzero(1 - curves.roc.fpr >= wanted - ROUNDING)
    return float(curves.roc.thresholds[enough[-1]])


def _share_slider(words: str, key: str, default: float) -> float:
    return float(
        st.slider(words, 0.0, 1.0, default, 0.01, key=key, bind="query-params", help=help_texts.OPERATING_POINT)
    )


def _by_youden(curves: LabelCurves) -> float:
    st.caption("Largest sensitivity + specificity, found on these very images.")
    threshold = curves.youden_threshold()
    assert threshold is not None, "ROC is defined"
    return threshold


def _by_threshold(curves: LabelCurves) -> float:
    low, high = _range(curves.rows.scores)
    step = (high - low) / STEPS
    before = st.session_state.get("threshold")
    # Each label and model has its own range of scores.
    if before is not None and not low <= before <= high:
        st.session_state["threshold"] = float(np.clip(before, low, high))
    words = f"Operating point: {curves.scale} of at least"
    return float(
        st.slider(
            words,
            low,
            high,
            round((low + high) / 2, 6),
            step,
            format="%.3f",
            key="threshold",
            bind="query-params",
            help=help_texts.OPERATING_POINT,
        )
    )


def _range(scores: FloatArray) -> tuple[float, float]:
    low, high = float(scores.min()), float(scores.max())
    return (low, high) if high > low else (low, low + 1)


def _by_number(curves: LabelCurves) -> float:
    usual = {"logit": 0.0, "probability": 0.5}.get(curves.scale, float(np.median(curves.rows.scores)))
    words = f"Call positive at a {curves.scale} of at least"
    return float(
        st.number_input(
            words,
            value=usual,
            step=0.05,
            format="%.4f",
            key="cut",
            bind="query-params",
            help=help_texts.OPERATING_POINT,
            width=260,
        )
    )


_THRESHOLDS: dict[str, Callable[[LabelCurves], Any]] = {
    "sensitivity": _by_sensitivity,
    "specificity": _by_specificity,
    "youden": _by_youden,
    "threshold": _by_threshold,
    "fixed": _by_number,
}
