"""The inputs of the Train page, in the order in which a person decides."""

from dataclasses import replace

import streamlit as st

from cxr_core.models.registry import ModelEntry
from cxr_core.schema import TRAINING_VIEWS, label_words
from cxr_core.sources.source import Source
from cxr_core.tasks.training_plan import training_defaults
from cxr_core.training.options import ARCHITECTURES, IMAGE_SIZES, TrainOptions
from cxr_core.uncertainty import Policy
from dashboard.shared import help_texts
from dashboard.shared.accelerator_input import accelerator_input
from dashboard.shared.filled_in import BATCH_SIZES
from dashboard.shared.policy_input import (
    learning_formula,
    loss_formula,
    policy_input,
)
from dashboard.train.execution import execution_input
from dashboard.train.several_input import SWEEP, Several, several_input


def train_form(source: Source, models: list[ModelEntry]) -> tuple[TrainOptions, Several]:
    """Show every choice and return them, and how many runs they are for; the engine checks them again."""
    options = _defaults(source)
    st.subheader("Data", anchor=False)
    view = st.segmented_control(
        "View",
        TRAINING_VIEWS,
        default=options.view,
        required=True,
        format_func=label_words,
        key="train-view",
        bind="query-params",
        help=help_texts.VIEW,
    )
    st.subheader("How many runs", anchor=False)
    several = several_input()
    options = replace(options, view=view or options.view)
    if several.kind != SWEEP:
        st.subheader("What uncertain labels mean", anchor=False)
        options = options.with_policy(_policy_section())
    st.subheader("Network", anchor=False)
    options = _network(options)
    st.subheader("Machine", anchor=False)
    options = replace(options, accelerator=accelerator_input())
    st.subheader("Name", anchor=False)
    name = st.text_input(
        "Model name", key="train-name", bind="query-params", placeholder="made from view, u and w", help=help_texts.NAME
    )
    with st.expander("More options", icon=":material/tune:"):
        options = _more(replace(options, name=name.strip()), models)
    with st.expander("How it is computed", icon=":material/memory:"):
        return execution_input(options), several


def _policy_section() -> Policy:
    policy = policy_input("train", learned=True)
    st.latex(loss_formula(policy))
    st.caption(
        "y is the network's logit, t is 1 where the report says positive and 0 where it says negative or nothing. "
        "The loss is the mean over all images and labels."
    )
    if policy.is_learned:
        st.latex(learning_formula())
        st.caption(
            "C is the loss of the certain labels on images that the step has not seen, after a step that was only "
            "tried. u rises where that would have predicted them better. u and w start at 0.5, rest for the first "
            "epoch, and stay between 0 and 1; w moves once an epoch. Validation images take no part."
        )
    elif policy.u_scalar is None or policy.w_scalar is None:
        st.caption(f"This table is policy **{policy.digest}**; its model and its run bear that name.")
    return policy


def _defaults(source: Source) -> TrainOptions:
    """Return the source's defaults; the seed that was drawn for this visitor stays while the form is filled in."""
    drawn: dict[str, TrainOptions] = st.session_state.setdefault("train-defaults", {})
    return drawn.setdefault(source.name, training_defaults(source.name))


def _network(options: TrainOptions) -> TrainOptions:
    architecture = st.segmented_control(
        "Architecture",
        ARCHITECTURES,
        default=options.architecture,
        required=True,
        key="train-architecture",
        bind="query-params",
        help=help_texts.ARCHITECTURE,
    )
    first, second, third = st.columns(3)
    with first:
        epochs = st.number_input(
            "Epochs", 1, 10_000, options.epochs, key="train-epochs", bind="query-params", help=help_texts.EPOCHS
        )
    with second:
        batch_size = st.selectbox(
            "Batch size",
            BATCH_SIZES,
            BATCH_SIZES.index(options.batch_size),
            key="train-batch-size",
            bind="query-params",
            help=help_texts.BATCH_SIZE,
        )
    with third:
        image_size = st.selectbox(
            "Image size (pixels)",
            IMAGE_SIZES,
            IMAGE_SIZES.index(options.image_size),
            key="train-image-size",
            bind="query-params",
            help=help_texts.IMAGE_SIZE,
        )
    return replace(
        options,
        architecture=architecture or options.architecture,
        epochs=int(epochs),
        batch_size=batch_size,
        image_size=image_size,
    )


def _more(options: TrainOptions, models: list[ModelEntry]) -> TrainOptions:
    with st.container(horizontal=True):
        rate = st.number_input(
            "Learning rate",
            0.0,
            1.0,
            options.learning_rate,
            0.0001,
            format="%.5f",
            key="train-learning-rate",
            bind="query-params",
            help=help_texts.LEARNING_RATE,
        )
        patience = st.number_input(
            "Early stopping (epochs)", 0, 1000, 0, key="train-stop", bind="query-params", help=help_texts.EARLY_STOPPING
        )
        seed = st.number_input(
            "Seed", 0, 2**31 - 1, options.seed, key="train-seed", bind="query-params", help=help_texts.SEED
        )
    starts = ["", *(model.name for model in models if model.weights)]
    init_from = st.selectbox(
        "Start from",
        starts,
        format_func=lambda model: model or "random weights",
        accept_new_options=True,
        key="train-init-from",
        bind="query-params",
        help=help_texts.INIT_FROM,
    )
    records = st.text_input(
        "Records", key="train-records", bind="query-params", help=help_texts.RECORDS, placeholder="those of the source"
    )
    tensorboard = st.text_input(
        "TensorBoard folder", key="train-tensorboard", bind="query-params", help=help_texts.TENSORBOARD
    )
    save_to = st.text_input("Save a copy to", key="train-save-to", bind="query-params", help=help_texts.SAVE_TO)
    return replace(
        options,
        learning_rate=float(rate),
        early_stopping=int(patience),
        seed=int(seed),
        init_from=init_from or "",
        records=records.strip(),
        tensorboard=tensorboard.strip(),
        save_to=save_to.strip(),
    )
