"""The engine of CXR Lab: label tables, training, evaluation and long work, without a face.

`import cxr_core` loads nothing; each name of the public face is loaded when it is first used. What stands in
`PUBLIC` keeps its name and its arguments from version to version; docs/python.md shows how to use it.
"""

from importlib import import_module
from typing import Any

__version__ = "0.2.0"

#: name -> the module that has it, and its name there.
PUBLIC: dict[str, tuple[str, str]] = {
    "ImageQuery": ("tasks.images", "ImageQuery"),
    "LABELS": ("schema", "LABELS"),
    "TrainOptions": ("training.options", "TrainOptions"),
    "all_details": ("tasks.details", "all_details"),
    "choose_thresholds": ("tasks.threshold_cards", "choose_thresholds"),
    "compare": ("tasks.compare", "compare"),
    "distribution": ("tasks.distribution", "distribution"),
    "evaluate": ("tasks.evaluate", "evaluate"),
    "gaps": ("tasks.gaps", "gaps"),
    "get_source": ("sources.registry", "get_source"),
    "image_record": ("tasks.image_record", "image_record"),
    "images": ("tasks.images", "images"),
    "joined_predictions": ("tasks.judging", "joined_predictions"),
    "judged_at": ("tasks.threshold_cards", "judged_at"),
    "label_curves": ("tasks.evaluate", "label_curves"),
    "list_models": ("tasks.models", "models"),
    "list_sources": ("tasks.sources", "source_reports"),
    "model_grid": ("tasks.grid", "model_grid"),
    "named_images": ("tasks.image_search", "named_images"),
    "parse_rule": ("tasks.threshold_cards", "parse_rule"),
    "participants": ("tasks.participants", "participants"),
    "plan_training": ("tasks.training_plan", "plan_training"),
    "read_card": ("tasks.threshold_cards", "read_card"),
    "read_metrics": ("runs.service", "read_metrics"),
    "start_training": ("tasks.train", "start_training"),
    "two_judges": ("tasks.two_judges", "two_judges"),
    "write_report": ("tasks.report", "write_report"),
}


def __getattr__(name: str) -> Any:
    """Return a function of the public face, or a room by its name."""
    if name not in PUBLIC:
        raise AttributeError(f"cxr_core has no {name!r}. Its public names are {', '.join(PUBLIC)}.")
    module, original = PUBLIC[name]
    return getattr(import_module(f"cxr_core.{module}"), original)


def __dir__() -> list[str]:
    """Return what Tab offers."""
    return sorted([*globals(), *PUBLIC])
