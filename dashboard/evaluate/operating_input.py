"""Where the score is cut: by a wanted sensitivity or specificity, Youden's index, a slider, a number or a click."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from cxr_core.tasks.evaluate import LabelCurves
from dashboard.evaluate.chosen_on import chosen_on_input
from dashboard.evaluate.judged import Judged
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


@dataclass(frozen=True)
class Cut:
    """Where the score is cut, and in words how that was chosen; without a threshold `why` says why there is none."""

    threshold: float | None
    words: str = ""
    why: str | None = None


def operating_cut(judged: Judged, curves: LabelCurves) -> Cut:
    """Show how the operating point is chosen and the input that moves it; return where the score is cut.

    The threshold is a number with few decimals: what is shown is what cuts. No input where ROC is undefined.
    """
    if curves.roc is None:
        return Cut(None, why=curves.why.get("roc_auc"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        way = st.segmented_control(
            "Set the operating point by",
            WAYS,
            default="sensitivity",
            required=True,
            format_func=WAYS.__getitem__,
            key="point-by",
            bind="query-params",
            wrap=True,
            help=help_texts.OPERATING_WAY,
            width="content",
        )
        if way == "threshold":
            return Cut(curves.written_threshold(_by_slider(judged, curves)), "a threshold of the reader's")
        if way == "fixed":
            return Cut(_by_number(curves), "a threshold of the reader's")
        return _by_rule(judged, curves, way or "sensitivity")


def _by_rule(judged: Judged, curves: LabelCurves, rule: str) -> Cut:
    """Choose by a rule, on the data set on which cuts are chosen, whichever is judged."""
    if rule == "youden":
        wanted, words = None, "the largest sensitivity + specificity"
        st.caption("Largest sensitivity + specificity.")
    else:
        wanted = max(_wanted_share(rule), LEAST)
        words = f"a {rule} of at least {wanted:g}"
    chosen = chosen_on_input(judged)
    there = curves if chosen == judged else chosen.curves()
    threshold, where = there.threshold(rule, wanted), chosen.dataset
    if threshold is None:
        return Cut(None, why=f"on {where}, where it is to be chosen, {there.why.get('roc_auc')}")
    if chosen.dataset != judged.dataset:
        st.caption(f"Cut kept from {where}.")
    return Cut(there.written_threshold(threshold), f"{words} on {where}")


def take_clicked_threshold(chart: str, curves: LabelCurves) -> None:
    """Cut at the vertex that was clicked on in the chart of that key; a click beside the curves changes nothing."""
    picked = st.session_state[chart]["selection"]["points"]
    thresholds = [point["customdata"] for point in picked if point.get("customdata") is not None]
    if thresholds:
        threshold = curves.written_threshold(float(np.ravel(thresholds[0])[0]))
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


def _by_slider(judged: Judged, curves: LabelCurves) -> float:
    low, high = _range(curves)
    value = float(st.session_state.get("threshold", _usual(curves)))
    # Each label and model has its own range of scores; other images of the same keep the cut.
    about = (judged.source.name, judged.model.name, judged.label)
    if st.session_state.setdefault("threshold-about", about) == about and np.isfinite(value):
        low, high = min(low, value), max(high, value)
    st.session_state["threshold-about"] = about
    st.session_state["threshold"] = float(np.clip(value, low, high))
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
        format="%.15g",
        key="cut",
        bind="query-params",
        help=help_texts.OPERATING_POINT,
        width=260,
    )


def _range(curves: LabelCurves) -> tuple[float, float]:
    low, high = curves.by_value.range
    return (low, high) if high > low else (low, low + 1)


def _usual(curves: LabelCurves) -> float:
    """Return where scores of this scale are usually cut."""
    return {"logit": 0.0, "probability": 0.5}.get(curves.scale, float(np.median(curves.rows.scores)))
