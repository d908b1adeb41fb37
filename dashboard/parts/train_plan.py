"""What a training run would be, before it starts; and the button that starts it."""

import streamlit as st

from cxr_core.errors import CxrError
from cxr_core.tasks.train import start_training
from cxr_core.tasks.training_plan import TrainingPlan, plan_training
from cxr_core.training.options import TrainOptions
from dashboard.parts.errors import errors_as_sentences
from dashboard.parts.formatting import count, duration
from dashboard.parts.navigation import go_to

PLAN_SECONDS = 20.0


def plan_or_reason(source: str, options: TrainOptions) -> tuple[TrainingPlan | None, str]:
    """Return the checked plan, or None and the reason why it cannot be."""
    try:
        return _plan(source, options), ""
    except CxrError as error:
        return None, str(error)


@st.cache_data(ttl=PLAN_SECONDS, max_entries=100, show_spinner=False)
def _plan(source: str, options: TrainOptions) -> TrainingPlan:
    """Count the records again only after some seconds; Start checks everything anew."""
    return plan_training(source, options)


def answer(plan: TrainingPlan | None) -> str:
    """Return the title: what would start now."""
    if plan is None:
        return "This run cannot start yet"
    time = "" if plan.seconds is None else f", in about {duration(_rounded(plan.seconds))}"
    return f"{count(plan.n_train)} images, {count(plan.steps)} steps{time}"


def plan_section(source: str, options: TrainOptions, plan: TrainingPlan | None, reason: str) -> None:
    """Show the figures of the run, the checks and the Start button."""
    with st.container(border=True):
        st.subheader("What will happen", anchor=False)
        if plan is None:
            st.error(reason, icon=":material/error:")
        else:
            _figures(plan)
            for check in plan.checks:
                icon = ":green[:material/check_circle:]" if check.passed else ":orange[:material/warning:]"
                st.markdown(f"{icon} {check.text}")
        pressed = st.button(
            "Start training",
            type="primary",
            icon=":material/play_arrow:",
            disabled=plan is None,
            width="stretch",
            help="Starts a process of its own that goes on when this page is closed, and opens its page.",
        )
        if pressed:
            with errors_as_sentences():
                run = start_training(source, options)
                go_to("runs", run=run.run)


def _figures(plan: TrainingPlan) -> None:
    expected = "not known" if plan.seconds is None else duration(_rounded(plan.seconds))
    with st.grid(2, min_column_width=120):
        _metric("N_train", count(plan.n_train), "training images", "Images of this view in the training records.")
        _metric("N_valid", count(plan.n_valid), "validation images", "They decide which epoch's model is kept.")
        batch = f"N_train / {plan.options.batch_size}"
        _metric("Steps per epoch", count(plan.steps_per_epoch), batch, "Whole batches of training images.")
        steps = f"{count(plan.steps)} steps"
        _metric("Expected time", expected, steps, "From the last run of its kind here, else as measured on a CPU.")


def _metric(name: str, value: str, below: str, text: str) -> None:
    st.metric(name, value, delta=below, delta_color="off", delta_arrow="off", border=True, help=text)


def _rounded(seconds: float) -> float:
    """Return an estimate without digits that it does not have."""
    return round(seconds, -1) if seconds < 600 else 60 * round(seconds / 60)
