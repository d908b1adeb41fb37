"""Choosing what uncertain labels mean in training: a named strategy, one (u, w), one for each label, or learned."""

import math

import pandas as pd
import streamlit as st

from cxr_core.schema import LABELS, label_words
from cxr_core.uncertainty import (
    CUSTOM,
    DEFAULT_POLICY,
    LEARNED,
    NAMED_POLICIES,
    Policy,
    label_policy,
    named_policy,
    uniform_policy,
)
from dashboard.shared import help_texts

PER_LABEL = "per label"
STRATEGIES = (*NAMED_POLICIES, CUSTOM, PER_LABEL)
DEFAULT_U, DEFAULT_W = DEFAULT_POLICY.u[0], DEFAULT_POLICY.w[0]


def policy_input(key: str, learned: bool = False) -> Policy:
    """Show the choice and return the policy; `key` keeps the inputs of two pages apart.

    `learned` offers to leave u and w to training, which makes sense only where training follows.
    """
    strategy = st.segmented_control(
        "Uncertain labels",
        (*STRATEGIES, LEARNED) if learned else STRATEGIES,
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
    if strategy == LEARNED or strategy in NAMED_POLICIES:
        return named_policy(strategy)
    u = st.slider("u", 0.0, 1.0, DEFAULT_U, 0.01, key=f"{key}-u", bind="query-params", help=help_texts.U)
    w = st.slider("w", 0.0, 1.0, DEFAULT_W, 0.01, key=f"{key}-w", bind="query-params", help=help_texts.W)
    return uniform_policy(u, w)


def policy_in_use(key: str) -> Policy | None:
    """Return the policy that is chosen now in the input `key` of this session, its default before anybody chose.

    None where training is to learn it.
    """
    strategy = st.session_state.get(f"{key}-strategy", CUSTOM)
    if strategy == LEARNED:
        return None
    if strategy == PER_LABEL:
        return label_policy(*_parsed(st.session_state.get(f"{key}-table-start", "")))
    if strategy in NAMED_POLICIES:
        return named_policy(strategy)
    u, w = st.session_state.get(f"{key}-u", DEFAULT_U), st.session_state.get(f"{key}-w", DEFAULT_W)
    return uniform_policy(float(u), float(w))


def loss_formula(policy: Policy) -> str:
    """Return the loss of one label of one image as LaTeX, with the numbers of the policy."""
    w = "w_i" if policy.w_scalar is None else f"{policy.w_scalar:g}"
    u = "u_i" if policy.u_scalar is None else f"{policy.u_scalar:g}"
    uncertain = "0" if policy.w_scalar == 0 else rf"{w}\cdot\ell(y_{{ni}},\,{u})"
    return (
        r"L_{ni} = \begin{cases}\ell(y_{ni},\,t_{ni}) & \text{certain}\\"
        rf"{uncertain} & \text{{uncertain}}\end{{cases}}"
    )


def learning_formula() -> str:
    """Return how a learned policy moves u, as LaTeX."""
    ahead = r"\theta - \eta\,\nabla_\theta L(\theta, u, w)"
    return rf"u_i \leftarrow u_i - \alpha\,\frac{{\partial}}{{\partial u_i}}\,C\bigl({ahead}\bigr)"


def table_text(policy: Policy) -> str:
    """Return the 14 pairs of a policy as a URL carries them: `0.4,0.75;…` in schema order."""
    return ";".join(f"{u:g},{w:g}" for u, w in zip(policy.u, policy.w, strict=True))


def _label_by_label(key: str) -> Policy:
    """Show the table, filled from the URL when the page opens, and keep it there.

    The editor remembers changes to the table that it was first given, so that one must stay the same.
    """
    place, start_key = f"{key}-table", f"{key}-table-start"
    if start_key not in st.session_state:
        st.session_state[start_key] = st.query_params.get(place, "")
    us, ws = _parsed(st.session_state[start_key])
    start = pd.DataFrame({"Label": [label_words(label) for label in LABELS], "u": us, "w": ws})
    number = st.column_config.NumberColumn
    edited = st.data_editor(
        start,
        key=f"{key}-per-label",
        hide_index=True,
        height="content",
        disabled=["Label"],
        column_config={
            "u": number("u", min_value=0.0, max_value=1.0, step=0.01, help=help_texts.U, required=True),
            "w": number("w", min_value=0.0, max_value=1.0, step=0.01, help=help_texts.W, required=True),
        },
        alt="Target u and weight w of each label",
    )
    policy = label_policy(edited["u"].tolist(), edited["w"].tolist())
    st.query_params[place] = table_text(policy)
    return policy


def _parsed(text: str) -> tuple[list[float], list[float]]:
    """Return the u and the w of 14 pairs; what is no such text means the defaults."""
    try:
        pairs = [(float(u), float(w)) for u, w in (pair.split(",") for pair in text.split(";"))]
    except ValueError:
        pairs = []
    whole = len(pairs) == len(LABELS) and all(math.isfinite(x) and 0 <= x <= 1 for pair in pairs for x in pair)
    chosen = pairs if whole else [(DEFAULT_U, DEFAULT_W)] * len(LABELS)
    return [u for u, _ in chosen], [w for _, w in chosen]
