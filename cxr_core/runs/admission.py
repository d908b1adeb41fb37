"""Whether somebody may start a run: his role, the source, and how many of his runs wait already."""

from cxr_core.caller import RESEARCHER, caller, require
from cxr_core.errors import UsageError
from cxr_core.runs.run import QUEUED
from cxr_core.runs.store import RunStore
from cxr_core.settings import settings
from cxr_core.sight import check_own
from cxr_core.words import counted


def check_start(store: RunStore, source: str) -> None:
    """Raise `UsageError` where whoever acts may not start a run of a source, or not one more.

    The parts that a sweep starts by itself are not held up; they count when somebody starts another run.
    """
    require(RESEARCHER, "start a run")
    check_own(source)
    who, most = caller(), settings().queued_runs_per_person
    if not most or who.names is None:
        return
    waiting = sum(run.status == QUEUED and run.user == who.name for run in store.active())
    if waiting >= most:
        raise UsageError(
            f"One person may have {counted(most, 'run')} waiting (setting queued_runs_per_person), and {waiting} of "
            "yours wait. Cancel one, or start this one when they have begun."
        )
