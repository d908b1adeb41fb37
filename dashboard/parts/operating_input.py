"""Where the score is cut: by a wanted sensitivity or specificity, Youden's index, a slider, a number or a click."""

from collections.abc import Callable

import numpy as np
import streamlit as st

from cxr_core.evaluation.arrays import FloatArray
from cxr_core.tasks.evaluate import LabelCurves
from dashboard.parts import help_texts
from dashboard.parts.judged import Judged, show_operating_point

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
CLICKED = "operating-point-was-clicked"


def operating_input(judged: Judged) -> None:
    """Show how the operating point is chosen and the input that moves it, where the label has a ROC curve."""
    curves = judged.curves()
    if curves is None or curves.roc is None:
        return
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
        _INPUTS[way or "sensitivity"](curves)


def operating_threshold(curves: LabelCurves) -> float | None:
    """Return where the score of these curves is cut, as the reader chose; None where ROC is undefined."""
    if curves.roc is None:
        return None
    way, chosen = st.session_state.get("point-by") or "sensitivity", st.session_state
    if way == "youden":
        return curves.threshold(way)
    if way in DEFAULTS:
        return curves.threshold(way, max(chosen.get(way, DEFAULTS[way]), LEAST))
    return float(chosen.get("threshold" if way == "threshold" else "cut", _usual(curves)))


def take_clicked_threshold(chart: str) -> None:
    """Cut at the vertex that was clicked on in the chart of that key; a click beside the curves changes nothing."""
    picked = st.session_state[chart]["selection"]["points"]
    thresholds = [point["customdata"] for point in picked if point.get("customdata") is not None]
    if thresholds:
        st.session_state["cut"] = float(np.ravel(thresholds[0])[0])
        st.session_state["point-by"] = "fixed"
        st.session_state[CLICKED] = True


def redraw_after_click() -> None:
    """Draw the whole page again if a click has moved the operating point, as the inputs must tell of it."""
    if st.session_state.pop(CLICKED, False):
        st.rerun()


def _by_sensitivity(curves: LabelCurves) -> None:
    _share_slider("sensitivity")


def _by_specificity(curves: LabelCurves) -> None:
    _share_slider("specificity")


def _share_slider(key: str) -> None:
    st.slider(
        f"Operating point: {key} of at least",
        0.0,
        1.0,
        DEFAULTS[key],
        0.01,
        key=key,
        on_change=show_operating_point,
        bind="query-params",
        help=help_texts.OPERATING_POINT,
    )


def _by_youden(curves: LabelCurves) -> None:
    st.caption("Largest sensitivity + specificity, found on these very images.")


def _by_threshold(curves: LabelCurves) -> None:
    low, high = _range(curves.rows.scores)
    # Each label and model has its own range of scores.
    st.session_state["threshold"] = float(np.clip(st.session_state.get("threshold", _usual(curves)), low, high))
    st.slider(
        f"Operating point: {curves.scale} of at least",
        low,
        high,
        step=(high - low) / STEPS,
        format="%.3f",
        key="threshold",
        on_change=show_operating_point,
        bind="query-params",
        help=help_texts.OPERATING_POINT,
    )


def _by_number(curves: LabelCurves) -> None:
    st.session_state.setdefault("cut", _usual(curves))
    st.number_input(
        f"Call positive at a {curves.scale} of at least",
        step=0.05,
        format="%.4f",
        key="cut",
        on_change=show_operating_point,
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


_INPUTS: dict[str, Callable[[LabelCurves], None]] = {
    "sensitivity": _by_sensitivity,
    "specificity": _by_specificity,
    "youden": _by_youden,
    "threshold": _by_threshold,
    "fixed": _by_number,
}
