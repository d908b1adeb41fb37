"""What the two processes of a run do. Loads little: every queued run has a supervising process."""

from collections.abc import Callable, Mapping

from cxr_core.runs.step import StepContext, run_step
from cxr_core.runs.store import RunStore
from cxr_core.runs.supervisor import Supervisor
from cxr_core.settings import settings


def supervise(run_id: str) -> None:
    """Look after a run in this process until it has ended."""
    values = settings()
    Supervisor(RunStore(values.home), run_id, values).supervise()


def step(run_id: str, kinds: Mapping[str, Callable[[StepContext], None]]) -> int:
    """Do the work of a run in this process and return its exit status; `kinds` maps a kind to its work."""
    return run_step(RunStore(settings().home), run_id, kinds)
