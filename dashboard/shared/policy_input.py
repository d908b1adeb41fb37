"""Choosing what uncertain labels and blanks mean in training: a named strategy, one (u, w), a table, or learned."""

import math

import pandas as pd
import streamlit as st

from cxr_core.schema import LABELS, label_words
from cxr_core.uncertainty import (
    CUSTOM,
    DEFAULT_POLICY,
    LEARNED,
    MASK_BLANKS,
    NAMED_POLICIES,
    POLICY_NAMES,
    Policy,
    label_policy,
    named_policy,
    uniform_policy,
)
from dashboard.shared import help_texts

PER_LABEL = "per label"
STRATEGIES = (*NAMED_POLICIES, MASK_BLANKS, CUSTOM, PER_LABEL)
DEFAULT_U, DEFAULT_W = DEFAULT_POLICY.u[0], DEFAULT_POLICY.w[0]
#: The columns of the table -> what they say.
_COLUMNS = {"u": help_texts.U, "w": help_texts.W, "blank u": help_texts.BLANK_U, "blank w": help_texts.BLANK_W}


def policy_input(key: str, learned: bool = False) -> Policy:
    """Show the choice and return the policy; `key` keeps the inputs of two pages apart.

    `learned` offers to leave u and w to training, which makes sense only where training follows.
    """
    strategy = st.segmented_control(
        "Uncertain labels",
        (*STRATEGIES, LEARNED) if learned else STRATEGIES,
        default=CUSTOM,
        required=True,
        format_func=_shown,
        key=f"{key}-strategy",
        bind="query-params",
        wrap=True,
        help=help_texts.STRATEGY,
    )
    if strategy == PER_LABEL:
        return _label_by_label(key)
    if strategy in POLICY_NAMES:
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
        return _of_columns(_parsed(st.session_state.get(f"{key}-table-start", "")))
    if strategy in POLICY_NAMES:
        return named_policy(strategy)
    u, w = st.session_state.get(f"{key}-u", DEFAULT_U), st.session_state.get(f"{key}-w", DEFAULT_W)
    return uniform_policy(float(u), float(w))


def fill_in(key: str, policy: Policy) -> None:
    """Put the numbers of a policy into the table of the input `key`; for what a button does before a page is drawn."""
    st.session_state[f"{key}-strategy"] = PER_LABEL
    st.session_state[f"{key}-table-start"] = table_text(policy)
    st.session_state.pop(f"{key}-per-label", None)


def loss_formula(policy: Policy) -> str:
    """Return the loss of one label of one image as LaTeX, with the numbers of the policy."""
    uncertain = _term(policy.u, policy.w, "u_i", "w_i", policy.is_learned)
    if not policy.says_of_blanks:
        stated, blank = "certain", ""
    else:
        stated = "positive or negative"
        blank = rf"{_term(policy.blank_u, policy.blank_w, 'b_i', 'v_i')} & \text{{not mentioned}}\\"
    return (
        rf"L_{{ni}} = \begin{{cases}}\ell(y_{{ni}},\,t_{{ni}}) & \text{{{stated}}}\\{blank}"
        rf"{uncertain} & \text{{uncertain}}\end{{cases}}"
    )


def _term(targets: tuple[float, ...], weights: tuple[float, ...], u: str, w: str, moving: bool = False) -> str:
    """Return a weighted loss as LaTeX: numbers where all labels have the same, else their letters."""
    target = f"{targets[0]:g}" if len(set(targets)) == 1 and not moving else u
    weight = f"{weights[0]:g}" if len(set(weights)) == 1 and not moving else w
    return "0" if weight == "0" else rf"{weight}\cdot\ell(y_{{ni}},\,{target})"


def _shown(strategy: str) -> str:
    return strategy.replace("-", " ").capitalize()


def learning_formula() -> str:
    """Return how a learned policy moves u, as LaTeX."""
    ahead = r"\theta - \eta\,\nabla_\theta L(\theta, u, w)"
    return rf"u_i \leftarrow u_i - \alpha\,\frac{{\partial}}{{\partial u_i}}\,C\bigl({ahead}\bigr)"


def table_text(policy: Policy) -> str:
    """Return a policy as a URL carries it: `0.4,0.75;…` in schema order, of blanks too where it says of them."""
    rows = list(policy.numbers().values())[: 4 if policy.says_of_blanks else 2]
    return ";".join(",".join(f"{number:g}" for number in numbers) for numbers in zip(*rows, strict=True))


def _label_by_label(key: str) -> Policy:
    """Show the table, filled from the URL when the page opens, and keep it there.

    The editor remembers changes to the table that it was first given, so that one must stay the same.
    """
    place, start_key = f"{key}-table", f"{key}-table-start"
    if start_key not in st.session_state:
        st.session_state[start_key] = st.query_params.get(place, "")
    rows = _parsed(st.session_state[start_key])
    start = pd.DataFrame({"Label": [label_words(label) for label in LABELS], **dict(zip(_COLUMNS, rows, strict=True))})
    edited = st.data_editor(
        start,
        key=f"{key}-per-label",
        hide_index=True,
        height="content",
        disabled=["Label"],
        column_config={
            name: st.column_config.NumberColumn(name, min_value=0.0, max_value=1.0, step=0.01, help=told, required=True)
            for name, told in _COLUMNS.items()
        },
        alt="Target u and weight w of each label, for uncertain ones and for blanks",
    )
    policy = _of_columns([edited[name].tolist() for name in _COLUMNS])
    st.query_params[place] = table_text(policy)
    return policy


def _of_columns(columns: list[list[float]]) -> Policy:
    u, w, blank_u, blank_w = columns
    return label_policy(u, w, blank_us=blank_u, blank_ws=blank_w)


def _parsed(text: str) -> list[list[float]]:
    """Return u, w, and the same of blanks, 14 numbers each; what is no such text means the defaults."""
    try:
        rows = [[float(number) for number in part.split(",")] for part in text.split(";")]
    except ValueError:
        rows = []
    whole = len(rows) == len(LABELS) and len({len(row) for row in rows}) == 1 and len(rows[0]) in (2, 4)
    if not whole or not all(math.isfinite(x) and 0 <= x <= 1 for row in rows for x in row):
        rows = [[DEFAULT_U, DEFAULT_W]] * len(LABELS)
    return [list(column) for column in zip(*([*row, 0.0, 1.0][:4] for row in rows), strict=True)]
