"""How the engine is asked: an answer that is kept under the stamp of what it came from, or a spinner until it comes.

Beside each answer stand the questions that it took, so that a page shows what they cost, whoever asked them.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from cxr_core.cache.answers import ANSWERS, Question
from cxr_core.calculator.calculator import CALCULATOR
from cxr_core.tasks.asking import AskedQuery, note, with_questions
from cxr_core.tasks.state import source_state
from dashboard.shared.elsewhere import leaves
from dashboard.shared.waiting import Show, waiting

R = TypeVar("R")

_OWNER = "pages"
_ASKING, _COMPUTING = "Asking the tables …", "Computing the figures …"


def asked(
    task: Callable[..., R],
    source: str,
    *arguments: Any,
    of: tuple[str, ...] | None = (),
    words: str = _ASKING,
    show: Show | None = None,
    may_leave: bool = False,
) -> R:
    """Return the kept answer of a task, else ask it, with a spinner, a bar and what is there already meanwhile.

    Args:
        task: of the engine; its first argument is the source.
        source: which source.
        arguments: the task's other arguments.
        of: the models whose prediction tables the answer comes from, besides the label tables; None for all models.
        words: what the spinner says.
        show: draws the parts that the task hands over before all are there.
        may_leave: whether it may be computed in a process of its own, see `elsewhere`.
    """
    question = question_of(task, source, *arguments)
    state = source_state(source, of)
    elsewhere = leaves(task, state.size) and may_leave
    found = ANSWERS.peek(question, state.stamp)
    if found is None:
        ask: Callable[[], Any] = partial(with_questions, task, source, *arguments)
        if elsewhere:
            ask = partial(CALCULATOR.computed, with_questions, task, source, *arguments)
        with waiting(question, words, show):
            found = ANSWERS.answer(question, state.stamp, ask)
    value: R
    value, questions = found.value
    if found.kept:
        note(as_kept(questions))
    return value


def as_kept(questions: Iterable[AskedQuery]) -> tuple[AskedQuery, ...]:
    """Return questions to the tables as they stand beside an answer that was there already."""
    return tuple(replace(one, kept=True) for one in questions)


def is_kept(task: Callable[..., Any], source: str, *arguments: Any, of: tuple[str, ...]) -> bool:
    """Say whether the answer of a task is there already."""
    return ANSWERS.peek(question_of(task, source, *arguments), source_state(source, of).stamp) is not None


def question_of(task: Callable[..., Any], source: str, *arguments: Any) -> Question:
    """Return under what the answer of a task is kept."""
    return Question(_OWNER, (task.__module__, task.__qualname__, source, arguments))


def computed(task: Callable[..., R], source: str, *arguments: Any, of: tuple[str, ...], show: Show | None = None) -> R:
    """Return what `asked` returns; the spinner says that figures are computed."""
    return asked(task, source, *arguments, of=of, words=_COMPUTING, show=show, may_leave=True)
