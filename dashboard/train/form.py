"""The inputs of the Train page, in the order in which a person decides."""

from dataclasses import replace

import streamlit as st

from cxr_core.models.listing import ModelEntry
from cxr_core.runs.run import HERE
from cxr_core.sources.source import Source
from cxr_core.tasks.training_plan import training_defaults
from cxr_core.training.option import SECTIONS
from cxr_core.training.options import TrainOptions
from cxr_core.uncertainty import Policy
from dashboard.shared.accelerator_input import accelerator_input
from dashboard.shared.policy_input import learning_formula, loss_formula, policy_input
from dashboard.train.kind_texts import KIND_CAPTIONS, RANGE_CAPTION
from dashboard.train.option_inputs import section_inputs
from dashboard.train.place_input import place_input
from dashboard.train.several_input import SWEEP, Several, several_input
from dashboard.train.tried_policies import tried_policies


def train_form(source: Source, models: list[ModelEntry]) -> tuple[TrainOptions, Several]:
    """Show every choice and return them, and how many runs they are for; the engine checks them again."""
    options = _section(_defaults(source), "data")
    st.header("What uncertain labels mean", anchor=False)
    policy = st.container()
    st.header("How many runs", anchor=False)
    several = several_input()
    with policy:
        if several.kind == SWEEP:
            st.caption("A sweep trains with several u and w: those chosen below, under *How many runs*.")
        else:
            options = replace(options, policy=_policy_section(models))
            tried_policies(source, [model.name for model in models if model.weights])
    options = _section(options, "network")
    st.header(SECTIONS["machine"], anchor=False)
    several = replace(several, place=place_input())
    accelerator, device = accelerator_input(several.place)
    options = replace(options, accelerator=accelerator, device=device)
    if several.place != HERE:
        options = section_inputs(options, "workers")
    options = _section(options, "name")
    with st.expander(SECTIONS["more"], icon=":material/tune:"):
        options = section_inputs(options, "more", [model.name for model in models if model.weights])
    with st.expander(SECTIONS["recipe"], icon=":material/school:"):
        options = section_inputs(options, "recipe")
    with st.expander(SECTIONS["computed"], icon=":material/memory:"):
        return section_inputs(options, "computed"), several


def _section(options: TrainOptions, section: str) -> TrainOptions:
    st.header(SECTIONS[section], anchor=False)
    return section_inputs(options, section)


def _policy_section(models: list[ModelEntry]) -> Policy:
    policy = policy_input("train", learned=True, models=[model.name for model in models if model.predictions])
    st.latex(loss_formula(policy))
    st.caption(
        "y is the network's logit, t is 1 where the report says positive and 0 where it says negative"
        f"{'' if policy.says_of_blanks else ' or nothing'}. "
        "The loss is the mean over all images and labels."
    )
    if policy.is_learned:
        st.latex(learning_formula())
        st.caption(
            "C is the loss of the certain labels on images that the step has not seen, after a step that was only "
            "tried. u rises where that would have predicted them better. u and w start at 0.5, rest for the first "
            "epoch, and stay between 0 and 1; w moves once an epoch. Validation images take no part."
        )
    for kind, told in KIND_CAPTIONS.items():
        if any(policy.labels_of(kind)):
            st.caption(told)
    if policy.u_to:
        st.caption(RANGE_CAPTION)
    if not policy.is_learned and policy.u_scalar is None:
        st.caption(f"This table is policy **{policy.digest}**; its model and its run bear that name.")
    return policy


def _defaults(source: Source) -> TrainOptions:
    """Return the source's defaults; the seed that was drawn for this visitor stays while the form is filled in."""
    drawn: dict[str, TrainOptions] = st.session_state.setdefault("train-defaults", {})
    return drawn.setdefault(source.name, training_defaults(source.name))
