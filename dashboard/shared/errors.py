"""The one place where an error becomes a sentence on the page; nobody is shown a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import streamlit as st

from cxr_core.errors import CostlyError, CxrError, UndecidedError
from cxr_core.schema import label_words
from cxr_core.sources.registry import DEMO
from cxr_core.stamps import once_a_look
from cxr_core.tasks.asking import NULL_TOPIC, approve
from cxr_core.tasks.sources import connect_anew, keep_null_rule
from dashboard.shared.actions import action_button
from dashboard.shared.formatting import plain, size


@contextmanager
def errors_as_sentences(retry: str = "") -> Iterator[None]:
    """Show an error that the engine raised on purpose, and go on after the block.

    Args:
        retry: names a button below the sentence that tries the block again; "" shows none.
    """
    try:
        yield
    except CxrError as error:
        show_error(error)
        if retry and not is_question(error):
            try_again_button(retry)


def show_error(error: CxrError) -> None:
    """Show an error; one that is a question to the user has its answers as buttons."""
    if is_question(error) and not _is_new(error):
        st.caption("This waits for the answer to the question above.")
    elif isinstance(error, CostlyError):
        _ask_for_a_yes(error)
    elif isinstance(error, UndecidedError) and error.topic == NULL_TOPIC:
        _ask_what_null_is(error)
    else:
        st.error(plain(error), icon=":material/error:")


def is_question(error: CxrError) -> bool:
    """Say whether a user answers an error on the page."""
    return isinstance(error, CostlyError) or (isinstance(error, UndecidedError) and error.topic == NULL_TOPIC)


def _is_new(question: CxrError) -> bool:
    """Say whether a question is not on the page yet: several parts of it may wait for the same answer."""
    seen: list[bool] = []
    once_a_look(("asked the user", str(question)), lambda: seen.append(True))
    return bool(seen)


def _ask_for_a_yes(error: CostlyError) -> None:
    read = size(error.n_bytes)
    words = f"BigQuery would read {read} for {label_words(error.question).lower()}. It was not asked yet."
    st.warning(words, icon=":material/help:")
    st.code(error.sql, language=None, height=320)
    st.button(
        f"Ask it: {read}",
        icon=":material/payments:",
        key=f"approve-{hash(error.key)}",
        help="Runs this question once. The setting ask_above_bytes says above how much you are asked.",
        on_click=approve,
        args=(error.key,),
    )


def _ask_what_null_is(error: UndecidedError) -> None:
    st.warning(plain(error.question), icon=":material/help:")
    source = st.session_state.get("source") or DEMO
    for choice in error.choices:
        rule = choice.keys["null_is"]
        words, _, meaning = choice.words.partition(": ")
        act = partial(_keep_null_rule, rule)
        action_button(words, source, f"null-{rule}", act, f"{meaning[:1].upper()}{meaning[1:]}. Kept for this source.")


def _keep_null_rule(rule: str, source: str) -> None:
    keep_null_rule(source, rule)


def try_again_button(name: str) -> None:
    """Show a button that draws the page again: what was answered before is kept, and only the rest is asked."""
    st.button(
        "Try again",
        icon=":material/refresh:",
        key=f"try-again-{name}",
        help="Asks again for what is missing. What was answered already is kept and costs nothing.",
        on_click=connect_anew,
    )
