"""In which words a run is told to have ended."""

import signal

from cxr_core.runs.memory import memory_reason
from cxr_core.runs.run import Run

CANCELLED_BY_USER = "Cancelled by the user."
STOPPED_FROM_OUTSIDE = "Stopped by a signal from outside."
DISK_FULL = "The disk is full: the run could not write its files. Free some space, then resume it or start it again."
REMOVED = "The run was removed from the store, or is looked after by another process."


def died(code: int, words: list[str]) -> str:
    """Return why a process ended without telling, by its exit status (-n: by signal n) and the last lines it wrote."""
    if code == -signal.SIGKILL:
        return "Its process was killed by signal 9 (SIGKILL), sent from outside."
    if reason := memory_reason("\n".join(words)):
        return reason
    how = f"was ended by signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"ended with status {code}"
    return f"Its process {how}. Last lines of the log: {' | '.join(words) or 'none'}"


def supervisor_gone(run: Run, words: list[str]) -> str:
    """Return why a run ended whose supervising process is gone, and what to do."""
    reason = memory_reason("\n".join(words)) or "The process that supervised the run was killed, and the run with it."
    return f"{reason} {what_next(run)}"


def machine_restarted(run: Run) -> str:
    """Return why a run ended whose machine was started anew."""
    return f"The machine was restarted while the run was active. {what_next(run)}"


def ended_away(run: Run, told: str, words: list[str]) -> str:
    """Return why a run ended that another place ended, or lost; `told` says which."""
    lines = " | ".join(words) or "none"
    reason = memory_reason("\n".join(words)) or f"The place {run.place} {told}. Last lines of the log: {lines}."
    return f"{reason} {what_next(run)}"


def given_up(run: Run, seconds: float) -> str:
    """Return why a run of another machine or container was cancelled without its answer."""
    return f"{CANCELLED_BY_USER} Its process on {run.host} had given no sign of life for {seconds:,.0f} s."


def folder_vanished(folder: object) -> str:
    """Return what is to be said of a run that has no folder any more."""
    return f"The folder of the run, {folder}, has vanished, and with it log, metrics and checkpoints."


def what_next(run: Run) -> str:
    """Return what the user can do about a run that failed."""
    return "Resume it or start it again." if run.resumable else "Start it again."
