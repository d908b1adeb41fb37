"""Building the embedded demo source, as a run."""

from cxr_core.caller import ADMIN, require
from cxr_core.runs import service
from cxr_core.runs.step import StepContext
from cxr_core.runs.store import Run
from cxr_core.sources.demo import build_demo, is_current
from cxr_core.sources.registry import DEMO, source_folder

KIND = "demo"


def start_demo(anew: bool = False) -> Run | None:
    """Start to build the demo source and return the run, or the one that is at it; None when it is built already.

    With `anew` it is built once more: labels, images and shipped models become as they were, one's own models and
    predictions stay.
    """
    require(ADMIN, "build the demo")
    if is_current(source_folder(DEMO)) and not anew:
        return None
    for run in service.list_runs():
        if run.kind == KIND and run.is_active:
            return run
    return service.submit(KIND, DEMO, DEMO, {"anew": anew})


def work(context: StepContext) -> None:
    """Build the demo in the process of the run."""

    def tell(share: float, message: str) -> None:
        context.stop_if_cancelled()
        context.progress(round(100 * share), 100, message=message)

    build_demo(source_folder(DEMO), tell, anew=bool(context.config.get("anew")))
