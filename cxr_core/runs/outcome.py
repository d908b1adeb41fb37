"""How the end of a step becomes the status and the reason of its run."""

import contextlib
import signal
from pathlib import Path

from cxr_core.runs import log, reasons
from cxr_core.runs.run import CANCELLED, COMPLETED, FAILED
from cxr_core.runs.step import EXIT_CANCELLED, EXIT_COMPLETED, EXIT_DISK_FULL, EXIT_FAILED, REASON_FILE

Outcome = tuple[str, str | None]


def outcome(code: int, folder: Path, stopped_by: str | None = None, no_memory: str | None = None) -> Outcome:
    """Return the status and the reason of a run.

    Args:
        code: how its step ended: its exit status, or -n for signal n.
        folder: of the run, where the step leaves its reason and its log.
        stopped_by: why it was asked to stop; None when it was not.
        no_memory: the reason when it was seen to have run out of memory.
    """
    if code == EXIT_COMPLETED:
        return COMPLETED, _remark(folder)
    if stopped_by is not None:
        why = _failure(code, folder)
        return CANCELLED, stopped_by if why is None else f"{stopped_by} It could not end properly: {why}"
    if code in (EXIT_CANCELLED, -signal.SIGTERM):
        return CANCELLED, reasons.STOPPED_FROM_OUTSIDE
    words = log.last_words(folder / log.LOG_FILE)
    return FAILED, _failure(code, folder) or no_memory or reasons.died(code, words)


def _remark(folder: Path) -> str | None:
    """Return what the step left to be said of a run that completed; mostly nothing."""
    with contextlib.suppress(OSError):
        return (folder / REASON_FILE).read_text().strip() or None
    return None


def _failure(code: int, folder: Path) -> str | None:
    """Return what the step told of its failure by its exit status; None when it told nothing."""
    if code == EXIT_DISK_FULL:
        return reasons.DISK_FULL
    if code != EXIT_FAILED:
        return None
    try:
        return (folder / REASON_FILE).read_text().strip()
    except OSError:
        if not folder.is_dir():
            return reasons.folder_vanished(folder)
        return " | ".join(log.last_words(folder / log.LOG_FILE))


def with_words(ended: Outcome, told: str) -> Outcome:
    """Return an end that nobody here asked for, with what the place of the run says of it."""
    status, reason = ended
    return status, f"{reason}{told}" if reason == reasons.STOPPED_FROM_OUTSIDE else reason
