"""Choosing what uncertain labels mean in training: a named strategy, one (u, w), or one for each label."""

import pandas as pd
import streamlit as st

from cxr_core.schema import LABELS, label_words
from cxr_core.uncertainty import CUSTOM, NAMED_POLICIES, Policy, named_policy, uniform_policy
from dashboard.parts import help_texts

PER_LABEL = "per label"
STRATEGIES = (*NAMED_POLICIES, CUSTOM, PER_LABEL)
DEFAULT_U, DEFAULT_W = 0.4, 0.75


def policy_input(key: str) -> Policy:
    """Show the choice and return the policy; `key` keeps the inputs of two pages apart."""
    strategy = st.segmented_control(
        "Uncertain labels",
        STRATEGIES,
        default=CUSTOM,
        required=True,
        format_func=str.capitalize,
        key=f"{key}-strategy",
        bind="query-params",
        wrap=True,
        help=help_texts.STRATEGY,
    )
    if strategy == PER_LABEL:
        return _label_by_label(key)
    if strategy in NAMED_POLICIES:
        return named_policy(strategy)
    u = st.slider("u", 0.0, 1.0, DEFAULT_U, 0.01, key=f"{key}-u", bind="query-params", help=help_texts.U)
    w = st.slider("w", 0.0, 1.0, DEFAULT_W, 0.01, key=f"{key}-w", bind="query-params", help=help_texts.W)
    return uniform_policy(u, w)


def loss_formula(policy: Policy) -> str:
    """Return the loss of one label of one image as LaTeX, with the numbers of the policy."""
    w = "w_i" if policy.w_scalar is None else f"{policy.w_scalar:g}"
    u = "u_i" if policy.u_scalar is None else f"{policy.u_scalar:g}"
    uncertain = "0" if policy.w_scalar == 0 else rf"{w}\cdot\ell(y_{{ni}},\,{u})"
    return (
        r"L_{ni} = \begin{cases}\ell(y_{ni},\,t_{ni}) & \text{certain}\\"
        rf"{uncertain} & \text{{uncertain}}\end{{cases}}"
    )


def _label_by_label(key: str) -> Policy:
    start = pd.DataFrame({"Label": [label_words(label) for label in LABELS], "u": DEFAULT_U, "w": DEFAULT_W})
    number = st.column_config.NumberColumn
    edited = st.data_editor(
        start,
        key=f"{key}-per-label",
        hide_index=True,
        disabled=["Label"],
        column_config={
            "u": number("u", min_value=0.0, max_value=1.0, step=0.01, help=help_texts.U, required=True),
            "w": number("w", min_value=0.0, max_value=1.0, step=0.01, help=help_texts.W, required=True),
        },
        alt="Target u and weight w of each label",
    )
    return Policy(CUSTOM, tuple(map(float, edited["u"])), tuple(map(float, edited["w"])))
