"""The kinds of long work, and what the process of a run does for each; a kind's module is loaded only when it runs."""

from collections.abc import Callable
from importlib import import_module

from cxr_core.runs.step import StepContext

_MODULES = {
    "demo": "cxr_core.tasks.build_demo",
    "train": "cxr_core.tasks.train",
    "sweep": "cxr_core.tasks.families",
    "repeat": "cxr_core.tasks.families",
    "predict": "cxr_core.tasks.predict",
    "import": "cxr_core.tasks.import_table",
    "import-images": "cxr_core.tasks.import_images",
    "index": "cxr_core.tasks.index_records",
    "policies": "cxr_core.tasks.policy_search",
}


def _in_module(module: str) -> Callable[[StepContext], None]:
    def work(context: StepContext) -> None:
        import_module(module).work(context)

    return work


STEPS: dict[str, Callable[[StepContext], None]] = {kind: _in_module(module) for kind, module in _MODULES.items()}
