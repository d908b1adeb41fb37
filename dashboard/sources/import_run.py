"""The import that was started last: how far it is, then what it came to, why it was refused, or what it asks."""

from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

import streamlit as st

from cxr_core.errors import UnknownNameError
from cxr_core.runs import service
from cxr_core.runs.run import CANCELLED, COMPLETED, Run
from cxr_core.tasks.import_table import answer_import, open_question
from cxr_core.words import counted
from dashboard.shared.actions import action_button
from dashboard.shared.errors import errors_as_sentences
from dashboard.shared.formatting import count, plain
from dashboard.shared.navigation import go_button
from dashboard.sources.question import question_input

_SHOWN = "import-that-is-shown"
_RENEW_SECONDS = 1.0


def follow(run: Run) -> NoReturn:
    """Draw the page again with this import on it."""
    st.session_state[_SHOWN] = run.run
    st.rerun()


def import_shown() -> None:
    """Show the import that this session started last; it renews itself until it has ended, then the whole page once."""
    run_id = st.session_state.get(_SHOWN)
    try:
        run = service.get(run_id) if run_id else None
    except UnknownNameError:  # somebody deleted it
        del st.session_state[_SHOWN]
        return
    if run is not None:
        every = _RENEW_SECONDS if run.is_active else None
        st.fragment(_standing, run_every=every)(run.run, run.is_active)


def _standing(run_id: str, was_active: bool) -> None:
    with errors_as_sentences():
        run = service.get(run_id)
        if was_active and not run.is_active:
            st.rerun(scope="app")
        if run.is_active:
            _progress(run)
        elif run.status == COMPLETED and run.result:
            _came_to(run, run.result)
        else:
            _not_done(run)


def _progress(run: Run) -> None:
    share = min(1.0, run.step / run.steps) if run.step and run.steps else 0.0
    st.progress(share, f"{plain(run.name)}: {plain(run.message or 'starting')}")
    text = "Stops the import; what was there stays as it was."
    action_button("Cancel the import", run.run, "cancel-import", service.cancel, text, icon=":material/stop_circle:")


def _not_done(run: Run) -> None:
    """Say why nothing was imported, or ask what the file does not tell."""
    asked = open_question(run)
    if asked is None:
        show = st.info if run.status == CANCELLED else st.error
        show(plain(run.reason), icon=":material/error:")
        return
    answer = question_input(asked.question, asked.choices, run.run)
    text = "Starts the import again with this answer."
    off = answer is None
    act = partial(_answer, answer=answer or 0)
    action_button("Import with this answer", run.run, "answer-import", act, text, type="primary", disabled=off)


def _answer(run_id: str, answer: int) -> None:
    st.session_state[_SHOWN] = answer_import(run_id, answer).run


def _came_to(run: Run, result: dict[str, Any]) -> None:
    """Say what an import came to, and offer the next step."""
    sentence, page, label, values = _WORDS[result["what"]](run, result)
    counts = f"{counted(result['read'], 'row was', 'rows were')} read, {count(result['refused'])} left out."
    st.success(f"{sentence} {counts}", icon=":material/check_circle:")
    for note in result["notes"]:
        st.info(plain(note), icon=":material/info:")
    go_button(page, label, source=run.source, **values)


#: What is said, the page that is next, the words of its button, and its values.
Told = tuple[str, str, str, dict[str, str]]


def _labels(run: Run, result: dict[str, Any]) -> Told:
    sentence = f"Imported {counted(result['written'], 'row')} of labels into {plain(run.source)}."
    return sentence, "labels", f"See the labels of {run.source}", {}


def _predictions(_run: Run, result: dict[str, Any]) -> Told:
    twice = counted(result["duplicated"], "stands", "stand")
    lost = f"{_without_row(result)}, {twice} more than once."
    model = result["model"]
    sentence = f"Imported {counted(result['written'], 'prediction')} of {plain(model)} ({plain(result['scale'])})."
    return f"{sentence} {lost}", "evaluate", f"Evaluate {model}", {"model": model}


def _readings(run: Run, result: dict[str, Any]) -> Told:
    readers = counted(len(result["readers"]), "reader")
    sentence = f"Imported {counted(result['written'], 'reading')} by {readers} into the set {plain(result['set'])}."
    return f"{sentence} {_without_row(result)}.", "labels", f"See the labels of {run.source}", {}


def _groups(run: Run, result: dict[str, Any]) -> Told:
    columns = ", ".join(map(plain, result["columns"]))
    sentence = f"{counted(result['images'], 'image')} of {plain(run.source)} can be split by {columns} now."
    return f"{sentence} {_without_row(result)}.", "evaluate", "See the groups on Evaluate", {"point-tab": "Subgroups"}


def _without_row(result: dict[str, Any]) -> str:
    return f"{counted(result['unmatched'], 'key has', 'keys have')} no label row"


_WORDS: dict[str, Callable[[Run, dict[str, Any]], Told]] = {
    "labels": _labels,
    "predictions": _predictions,
    "readings": _readings,
    "groups": _groups,
}
