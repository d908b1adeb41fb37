"""What the pages ask of one label of a model; kept as what `engine` keeps.

A reader who looks at a label is likely to look at another one: once a page stands, the curves of the other labels are
computed beside it, for all sessions one label after the other, as long as the tables are joined and somebody is there.
"""

from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from streamlit.runtime import exists, get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx

from cxr_core.cache.answers import ANSWERS
from cxr_core.schema import REPORT
from cxr_core.tasks.asking import AskedQuery
from cxr_core.tasks.details import LabelDetails
from cxr_core.tasks.details import label_details as details_of
from cxr_core.tasks.evaluate import LabelCurves, curves_of, joined_predictions
from cxr_core.tasks.state import source_state
from dashboard.shared.asked import as_kept, computed, question_of

#: One for all sessions: what nobody asked for yet takes at most one core from those who wait.
_BESIDE = ThreadPoolExecutor(1, thread_name_prefix="curves-ahead")


def label_curves(
    source: str, model: str, label: str, dataset: str, view: str | None, judge: str = REPORT
) -> LabelCurves:
    """Return the curves of one label of a model; the tables are joined once for all its labels."""
    return computed(_label_curves, source, model, label, dataset, view, judge, of=(model,))


def label_details(
    source: str, model: str, label: str, dataset: str, view: str | None, judge: str, specificity: float
) -> LabelDetails:
    """Return what a paper asks of a label beyond AUC."""
    return computed(_label_details, source, model, label, dataset, view, judge, specificity, of=(model,))


def curves_ahead(source: str, model: str, dataset: str, view: str | None, judge: str) -> None:
    """Compute the curves of a model's labels beside the page, so that another label finds them; asks no table."""
    session = get_script_run_ctx()
    if session is not None:
        stamp = source_state(source, (model,)).stamp
        _BESIDE.submit(_each_label, session.session_id, stamp, source, model, dataset, view, judge)


def _each_label(session: str, stamp: Hashable, source: str, model: str, *where: str | None) -> None:
    tables = ANSWERS.peek(question_of(joined_predictions, source, model, *where), stamp)
    if tables is None:
        return
    joined, questions = tables.value
    for label in joined.labels:
        if not _is_there(session):
            return
        question = question_of(_label_curves, source, model, label, *where)
        ANSWERS.answer(question, stamp, partial(_drawn, joined, model, label, as_kept(questions)))


def _is_there(session: str) -> bool:
    return exists() and get_instance().is_active_session(session)


def _drawn(
    joined: Any, model: str, label: str, questions: tuple[AskedQuery, ...]
) -> tuple[LabelCurves, tuple[AskedQuery, ...]]:
    return curves_of(joined, model, label), questions


def _label_curves(source: str, model: str, label: str, dataset: str, view: str | None, judge: str) -> LabelCurves:
    joined = computed(joined_predictions, source, model, dataset, view, judge, of=(model,))
    return curves_of(joined, model, label)


def _label_details(
    source: str, model: str, label: str, dataset: str, view: str | None, judge: str, specificity: float
) -> LabelDetails:
    return details_of(_label_curves(source, model, label, dataset, view, judge), specificity)
