"""Choosing what uncertain labels and blanks mean in training: a named strategy, one (u, w), a table, or learned."""

from collections.abc import Sequence

import streamlit as st

from cxr_core.policy_kinds import SELF_TRAINED, SOFT, THREE_CLASS
from cxr_core.uncertainty import (
    CUSTOM,
    DEFAULT_POLICY,
    LEARNED,
    MASK_BLANKS,
    NAMED_POLICIES,
    POLICY_NAMES,
    SMOOTHED,
    Policy,
    kind_policy,
    named_policy,
    uniform_policy,
)
from dashboard.shared import help_texts
from dashboard.shared.choices import Options, select_one
from dashboard.shared.policy_table import OWN_FIRST_STAGE, PER_LABEL, policy_of_text, policy_table

STRATEGIES = (*NAMED_POLICIES, MASK_BLANKS, CUSTOM, PER_LABEL)
#: Strategies that only training can follow.
IN_TRAINING = (SMOOTHED, THREE_CLASS, SELF_TRAINED, SOFT, LEARNED)
DEFAULT_U, DEFAULT_W = DEFAULT_POLICY.u[0], DEFAULT_POLICY.w[0]


def policy_input(key: str, learned: bool = False, models: Sequence[str] = ()) -> Policy:
    """Show the choice and return the policy; `key` keeps the inputs of two pages apart.

    `learned` offers what makes sense only where training follows: to leave u and w to it, ranges, kinds of labels.
    `models` may give each image its u.
    """
    strategy = st.segmented_control(
        "Uncertain labels",
        (*STRATEGIES, *IN_TRAINING) if learned else STRATEGIES,
        default=CUSTOM,
        required=True,
        format_func=_shown,
        key=f"{key}-strategy",
        bind="query-params",
        wrap=True,
        help=help_texts.STRATEGY,
    )
    if strategy == PER_LABEL:
        return policy_table(key, models, kinds=learned)
    if strategy == SELF_TRAINED:
        return _self_trained(key, models)
    if strategy in POLICY_NAMES:
        return named_policy(strategy)
    u = st.slider("u", 0.0, 1.0, DEFAULT_U, 0.01, key=f"{key}-u", bind="query-params", help=help_texts.U)
    w = st.slider("w", 0.0, 1.0, DEFAULT_W, 0.01, key=f"{key}-w", bind="query-params", help=help_texts.W)
    return uniform_policy(u, w)


def _self_trained(key: str, models: Sequence[str]) -> Policy:
    """Let be chosen what predicts u: the run itself first, or a model; that it predicts train, the plan says."""
    options = Options([OWN_FIRST_STAGE, *models], f"{key}-teacher", what="model")
    teacher = select_one("Trained on the predictions of", options, OWN_FIRST_STAGE, help_texts.TEACHER)
    return kind_policy(SELF_TRAINED if teacher == OWN_FIRST_STAGE else f"{SELF_TRAINED}:{teacher}")


def policy_in_use(key: str) -> Policy | None:
    """Return the policy that is chosen now in the input `key` of this session, its default before anybody chose.

    None where training is to find out what uncertain images are.
    """
    strategy = st.session_state.get(f"{key}-strategy", CUSTOM)
    if strategy in IN_TRAINING:
        return None
    if strategy == PER_LABEL:
        return policy_of_text(st.session_state.get(f"{key}-table-start", ""))
    if strategy in POLICY_NAMES:
        return named_policy(strategy)
    u, w = st.session_state.get(f"{key}-u", DEFAULT_U), st.session_state.get(f"{key}-w", DEFAULT_W)
    return uniform_policy(float(u), float(w))


def loss_formula(policy: Policy) -> str:
    """Return the loss of one label of one image as LaTeX, with the numbers of the policy."""
    of_images = bool(policy.kinds or policy.u_to)
    uncertain = _term(policy.u, policy.w, "u_{ni}" if of_images else "u_i", "w_i", of_images or policy.is_learned)
    if any(three := policy.labels_of(THREE_CLASS)):
        uncertain = r"\ell_3" if all(three) else rf"\ell_3 \text{{ or }} {uncertain}"
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
