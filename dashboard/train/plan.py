"""What a training run would be, before it starts; and the button that starts it."""

from dataclasses import replace

import streamlit as st

from cxr_core.caller import caller
from cxr_core.errors import CxrError
from cxr_core.runs.store import Run
from cxr_core.tasks.families import start_repeat, start_sweep
from cxr_core.tasks.train import start_training
from cxr_core.tasks.training_plan import TrainingPlan, plan_training
from cxr_core.training.options import TrainOptions
from cxr_core.words import counted
from dashboard.shared.errors import errors_as_sentences
from dashboard.shared.formatting import count, duration, plain
from dashboard.shared.leak import leak_sentence
from dashboard.shared.navigation import go_to
from dashboard.train.remote_look import WAITING, look_button, unasked
from dashboard.train.several_input import ONE, REPEAT, SWEEP, Several

PLAN_SECONDS = 20.0
_EXPECTED = (
    "From the last run of its kind here, else from a rate on two CPU cores. That was measured of densenet121 and "
    "densenet-small; of the other networks it is not measured but guessed."
)


def plan_or_reason(source: str, options: TrainOptions, place: str) -> tuple[TrainingPlan | None, str]:
    """Return the checked plan, or None and the reason why it cannot be."""
    try:
        return (None, WAITING) if unasked(options) else (_plan(source, options, place, caller().name), "")
    except CxrError as error:
        return None, str(error)


@st.cache_data(ttl=PLAN_SECONDS, max_entries=100, show_spinner=False)
def _plan(source: str, options: TrainOptions, place: str, who: str) -> TrainingPlan:
    """Count the records again only after some seconds, and for each person apart; Start checks everything anew."""
    return plan_training(source, options, going_on=_leave_if_closed, place=place)


def _leave_if_closed() -> None:
    """End this script here when its page was closed or is drawn anew: Streamlit looks whenever its state is read."""
    st.session_state.get("source")


def answer(plan: TrainingPlan | None, several: Several) -> str:
    """Return the title: what would start now."""
    if plan is None or several.trainings == 0:
        return "This run cannot start yet"
    seconds = _seconds(plan, several)
    time = "" if seconds is None else f", in about {duration(_rounded(seconds))}"
    if several.kind == ONE:
        return f"{counted(plan.n_train, 'image')}, {counted(plan.steps, 'step')}{time}"
    return f"{counted(several.trainings, 'training')} of {counted(plan.steps, 'step')}{time}"


def plan_section(source: str, options: TrainOptions, several: Several, plan: TrainingPlan | None, reason: str) -> None:
    """Show the figures of the run, the checks and the Start button."""
    if plan is not None and several.trainings == 0:
        plan, reason = None, "A sweep needs at least one u and one w. Choose them under Values of u and Values of w."
    with st.container(border=True):
        st.header("What will happen", anchor=False)
        if reason == WAITING:
            look_button(unasked(options))
        elif plan is None:
            st.error(plain(reason), icon=":material/error:")
        else:
            _figures(plan, several)
            for check in plan.checks:
                icon = ":green[:material/check_circle:]" if check.passed else ":orange[:material/warning:]"
                st.markdown(f"{icon} {plain(check.text)}")
        known = _leak_known(source)
        pressed = st.button(
            "Start training" if several.trainings <= 1 else f"Start {several.trainings} trainings",
            type="primary",
            icon=":material/play_arrow:",
            key="start-training",
            disabled=plan is None or not known,
            width="stretch",
            help="Starts a process of its own that goes on when this page is closed, and opens its page.",
        )
        if pressed:
            with errors_as_sentences():
                run = _started(source, options, several)
                go_to("runs", run=run.run)


def _started(source: str, options: TrainOptions, several: Several) -> Run:
    if several.kind == SWEEP:
        plain = replace(options, name="")
        return start_sweep(source, plain, several.us, several.ws, several.repeat, options.name, place=several.place)
    if several.kind == REPEAT:
        return start_repeat(source, options, several.repeat, place=several.place)
    return start_training(source, options, place=several.place)


def _leak_known(source: str) -> bool:
    """Show that patients stand in two data sets, and return whether the user trains all the same."""
    leak = leak_sentence(source)
    if leak is None:
        return True
    st.warning(leak, icon=":material/group:")
    return st.checkbox("Train all the same", key=f"leak-known-{source}", help="Validation will look too good.")


def _seconds(plan: TrainingPlan, several: Several) -> float | None:
    """Return about how long all trainings take, one after the other."""
    return None if plan.seconds is None else several.trainings * plan.seconds


def _figures(plan: TrainingPlan, several: Several) -> None:
    seconds = _seconds(plan, several)
    expected = "not known" if seconds is None else duration(_rounded(seconds))
    with st.grid(2, min_column_width=120):
        _metric("N_train", count(plan.n_train), "training images", "Images of this view in the training records.")
        _metric("N_valid", count(plan.n_valid), "validation images", "They decide which epoch's model is kept.")
        batch = f"N_train / {plan.options.batch_size}"
        _metric("Steps per epoch", count(plan.steps_per_epoch), batch, "Whole batches of training images.")
        steps = counted(several.trainings * plan.steps, "step")
        _metric("Expected time", expected, steps, _EXPECTED)


def _metric(name: str, value: str, below: str, text: str) -> None:
    st.metric(name, value, delta=below, delta_color="off", delta_arrow="off", border=True, help=text)


def _rounded(seconds: float) -> float:
    """Return an estimate without digits that it does not have."""
    return round(seconds, -1) if seconds < 600 else 60 * round(seconds / 60)
