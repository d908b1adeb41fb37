"""Whether the images on which a model is judged took part in choosing it."""

from typing import Any

from cxr_core.errors import CxrError
from cxr_core.runs import service
from dashboard.shared import engine


def choice_note(source: str, model: str, dataset: str) -> str:
    """Return a sentence on what `dataset` had to do with how the model came about."""
    told = engine.told_of_model(source, model)
    recipe = told.get("recipe")
    if isinstance(recipe, dict):
        return f"An ensemble ({recipe.get('method')}) of {', '.join(map(str, recipe.get('members', [])))}. " + (
            "The epochs of trained members were chosen on valid: figures on it are a little too hopeful."
            if dataset == "valid"
            else f"{dataset.capitalize()} took no part in choosing the members' epochs."
        )
    if not told.get("run"):
        return f"Nothing tells whether {dataset} took part in choosing this model."
    if dataset == "train":
        return "The model was trained on these images: figures on them are far too hopeful."
    chosen = _best_epoch(str(told["run"])) or "Of its epochs the one"
    rule = f"{chosen} with the best mean AUC on valid was kept"
    if dataset == "valid":
        return f"{rule}, so these figures are a little too hopeful; those on test are not."
    return f"{rule}; test took no part in it."


def _best_epoch(run: str) -> str | None:
    """Return which epoch of a run was kept, where the workspace still knows the run."""
    try:
        result: dict[str, Any] = service.get(run).result or {}
    except CxrError:
        return None
    best, epochs = result.get("best_epoch"), result.get("epochs")
    return f"Epoch {best} of {epochs}" if best and epochs else None
