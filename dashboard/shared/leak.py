"""Whether patients of a source stand in more than one data set, as it is told wherever that matters."""

from cxr_core.errors import CxrError
from cxr_core.words import counted
from dashboard.shared import engine


def leak_sentence(source: str) -> str | None:
    """Return how many patients stand in two data sets; None where none does, or where nobody can tell for nothing."""
    try:
        shared = engine.shared_patients(source)
    except CxrError:  # without label tables nothing can be told
        return None
    return leak_words(shared) if shared else None


def leak_words(shared: int | None) -> str:
    """Return in words what is known of patients in two data sets; None means that nobody looked."""
    if shared is None:
        return "not looked for, as BigQuery would bill it"
    if not shared:
        return "none"
    found = counted(shared, "patient stands", "patients stand")
    return f"{found} in more than one data set: figures on one are no test of what was learned on another."
