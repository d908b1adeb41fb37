"""What can be done with a run: cancel, resume, delete, predict, and where its result is shown."""

from typing import Any

import streamlit as st

from cxr_core.runs import service
from cxr_core.runs.places.check import definition_problems
from cxr_core.runs.run import HERE
from cxr_core.runs.store import COMPLETED, Run
from cxr_core.sources.registry import get_source
from cxr_core.tasks.machine_devices import resume
from cxr_core.tasks.predict import start_prediction
from cxr_core.training.execution_options import PREDICTING_ACCELERATORS
from cxr_core.training.options import TrainOptions
from dashboard.runs.elsewhere import elsewhere
from dashboard.shared.actions import action_button, tell
from dashboard.shared.choices import forget
from dashboard.shared.errors import errors_as_sentences
from dashboard.shared.filled_in import filled_in
from dashboard.shared.formatting import plain
from dashboard.shared.navigation import afterwards, go_button, go_to, open_filled


def run_buttons(run: Run) -> None:
    """Show the buttons that make sense for a run as it stands; each acts on this run, whatever it has come to since."""
    with errors_as_sentences(), st.container(horizontal=True, vertical_alignment="center"):
        if run.is_active:
            _cancel(run)
        else:
            _next_step(run)
            _resume(run)
            _clone(run)
            _delete(run)


def _cancel(run: Run) -> None:
    """Offer to stop the run, and ask once more: hours of work may stand behind it."""
    if run.cancel_requested:
        st.button("Stopping …", icon=":material/stop_circle:", key="stopping", disabled=True)
        return
    text = "Stops after the step at work; a training run keeps its checkpoint and can be resumed."
    with st.popover("Cancel run", icon=":material/stop_circle:", key=f"ask-to-cancel-{run.run}", help=text):
        kept = "It writes a checkpoint and can be resumed." if run.resumable else "Its work so far is lost."
        st.markdown(f"**{plain(run.name)}** stops. {kept}")
        action_button("Cancel it now", run.run, "cancel-run", service.cancel, text, type="primary")


def _next_step(run: Run) -> None:
    """Show what one does with a finished run: predict with its model, look at its predictions or at the data."""
    if run.status != COMPLETED:
        return
    if run.kind == "predict":
        predicted = run.config.get("datasets") or ["valid"]
        # Where Evaluate would show none of what was predicted, it is told what was.
        values = {} if "valid" in predicted else {"dataset": predicted[0]}
        go_button("evaluate", f"Evaluate {run.name}", source=run.source, model=run.name, **values)
    elif run.kind == "import" and run.config["what"] == "predictions":
        go_button("evaluate", f"Evaluate {run.config['name']}", source=run.source, model=run.config["name"])
    elif run.kind in ("demo", "import"):
        go_button("labels", "See what is in the data", source=run.source)
    elif run.name in get_source(run.source).warehouse().prediction_tables():
        go_button("evaluate", f"Evaluate {run.name}", source=run.source, model=run.name)
    elif run.kind == "train":
        text = "Predicts the validation and test images with this model, so that it can be evaluated and compared."
        icon = ":material/batch_prediction:"
        action_button("Predict", run.run, "predict", _predict, text, type="primary", icon=icon)
        elsewhere(run, "Predict elsewhere", "predict", _predict, HERE, text)


def _predict(run_id: str, place: str = HERE) -> None:
    run = service.get(run_id)
    accelerator = predicting_device(run) if place == HERE else _predicting_accelerator(run.config["options"])
    started = start_prediction(run.source, run.run, accelerator=accelerator, place=place)
    afterwards(go_to, "runs", run=started.run)


def _predicting_accelerator(options: dict[str, Any]) -> str:
    """Return what the model was trained on, for a place of which nobody here knows what it has."""
    accelerator = str(options["accelerator"])
    return accelerator if accelerator in PREDICTING_ACCELERATORS else "cpu"


def predicting_device(run: Run) -> str:
    """Return the accelerator that the model was trained on, where one machine alone has it."""
    return run.device if run.device in PREDICTING_ACCELERATORS else "cpu"


def _resume(run: Run) -> None:
    if run.resumable and run.status != COMPLETED:
        text = f"Goes on from the last checkpoint under the same ID.{_digits_may_differ(run)}"
        action_button("Resume run", run.run, "resume-run", resume, text, icon=":material/resume:")
        if run.kind == "train":
            elsewhere(run, "Resume elsewhere", "resume-run", resume, run.place, text)


def _digits_may_differ(run: Run) -> str:
    """Return what a resumed training may be otherwise than one that was not stopped; nothing where it is the same."""
    options = run.config.get("options") if run.kind == "train" else None
    if options is None or TrainOptions.from_dict(options).repeats_to_the_bit:
        return ""
    return " The last digits may differ from a run that was not stopped: the same bits are promised on a CPU alone."


def _delete(run: Run) -> None:
    text = "Removes the run with its log and checkpoints. A model that it finished stays."
    if st.button("Delete run", icon=":material/delete:", key=f"delete-run-{run.run}", help=text):
        _confirm_delete(run)


def _clone(run: Run) -> None:
    """Offer the same choices again."""
    if run.kind == "train":
        text = "Opens the Train page with the choices of this run; seed and name are new."
        action_button("Train again", run.run, "clone-run", _train_again, text, icon=":material/content_copy:")


def _train_again(run_id: str) -> None:
    run = service.get(run_id)
    options = TrainOptions.from_dict(run.config["options"])
    there = {"train-place": run.place, "train-accelerator-there": options.accelerator}
    known = there if run.is_away and not definition_problems(run.place) else {}
    afterwards(open_filled, "train", {"source": run.source} | filled_in(options) | known)


@st.dialog("Delete this run?", icon=":material/delete:")
def _confirm_delete(run: Run) -> None:
    st.markdown(f"**{plain(run.name)}** ({run.run}): its log, metrics and checkpoints are removed for good.")
    with st.container(horizontal=True):
        text = "It cannot be brought back."
        if action_button("Delete for good", run.run, "delete-for-good", _delete_for_good, text, type="primary"):
            st.rerun()
        if st.button("Keep it", key=f"keep-run-{run.run}"):
            st.rerun()


def _delete_for_good(run_id: str) -> None:
    name = service.get(run_id).name
    service.delete(run_id)
    forget("run")
    tell(f"Deleted {plain(name)} ({run_id}). Below stands the newest run.")
