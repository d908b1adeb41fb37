"""Who says what is positive: the report's labels, readers, or the truth where it is known."""

from collections.abc import Sequence

from cxr_core.evaluation.readers import ReaderPoint
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
    return pick_one("Judge", options, REPORT, help_texts.JUDGE)


def judge_words(judge: str) -> str:
    """Return what a judge is called."""
    return _WORDS.get(judge, f"Readers: {judge}")


def readers_answer(readers: Sequence[ReaderPoint]) -> str:
    """Return in a sentence how many readers the model's ROC curve runs above; "" where none can be placed."""
    placed = [reader for reader in readers if reader.under_roc is not None]
    if not placed:
        return ""
    under = sum(bool(reader.under_roc) for reader in placed)
    return (
        f"{under} of {counted(len(placed), 'reader')} lie under the ROC curve. A reader of the judging set is judged "
        "by the majority of its others, a reader of another set by the judge."
    )
