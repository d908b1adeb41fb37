"""Who says what is positive: the report's labels, readers, or the truth where it is known."""

from cxr_core.schema import REPORT, TRUTH
from dashboard.shared import engine, help_texts
from dashboard.shared.choices import Options, pick_one

_WORDS = {REPORT: "Report", TRUTH: "Truth"}


def judge_input(source: str) -> str:
    """Show who can judge, where there are several, and return who does."""
    judges = engine.judges(source)
    if len(judges) < 2:
        return REPORT
    options = Options(judges, "judge", judge_words, what="judge")
    return pick_one("Judge", options, REPORT, help_texts.JUDGE)


def judge_fact(judge: str) -> list[str]:
    """Return what a page's facts say of who judges; nothing for the report, which judges where nobody else is named."""
    return [] if judge == REPORT else [f"Judged by: {judge_words(judge)}"]


def judge_words(judge: str) -> str:
    """Return what a judge is called."""
    return _WORDS.get(judge, f"Readers: {judge}")
