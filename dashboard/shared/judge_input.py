"""Who says what is positive: the report's labels, readers, or the truth where it is known."""

import streamlit as st

from cxr_core.schema import REPORT, TRUTH
from cxr_core.words import counted
from dashboard.shared import engine, help_texts
from dashboard.shared.choices import Options, pick_one

_WORDS = {REPORT: "Report", TRUTH: "Truth"}


def judge_input(source: str) -> str:
    """Show who can judge, where there are several, and return who does."""
    judges = engine.judges(source)
    if len(judges) < 2:
        return REPORT
    options = Options(judges, "judge", judge_words, what="judge")
    judge = pick_one("Judge", options, REPORT, help_texts.JUDGE)
    if judge not in _WORDS and (picked := engine.picked_films(source, judge)).n_set_aside:
        st.caption(
            f"Of {counted(picked.n, 'reading')} of this set, {picked.n_set_aside:,} were picked by what is said of the "
            "film, or read with that in sight: figures by this judge hold for the films that were read alone."
        )
    return judge


def judge_fact(judge: str) -> list[str]:
    """Return what a page's facts say of who judges; nothing for the report, which judges where nobody else is named."""
    return [] if judge == REPORT else [f"Judged by: {judge_words(judge)}"]


def judge_words(judge: str) -> str:
    """Return what a judge is called."""
    return _WORDS.get(judge, f"Readers: {judge}")
