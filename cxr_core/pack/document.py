"""The document of a pack: everything that is said in it, as JSON has it."""

from collections.abc import Mapping
from typing import Any

from cxr_core.errors import UsageError
from cxr_core.schema import check_name

Document = Mapping[str, Any]
#: The version of its names; another one is refused.
FORMAT = 1
#: What each part is.
_PARTS: dict[str, type] = {
    **dict.fromkeys(("made_by", "source", "dataset", "judge"), str),
    **dict.fromkeys(("methods", "characteristics", "models", "differences", "commands"), list),
    **dict.fromkeys(("settings", "software"), dict),
}


def check_document(document: Any) -> None:
    """Raise `UsageError` where this is no document of a pack, or one of another version.

    What is deeper in it shows when a pack is made.
    """
    if not isinstance(document, Mapping) or document.get("pack") != FORMAT:
        raise UsageError(f'A pack is made of a document with "pack": {FORMAT}, as `report` writes pack.json.')
    for name, kind in _PARTS.items():
        if not isinstance(document.get(name), kind):
            raise UsageError(f"The document of the pack is damaged: {name} must be there, and be a {kind.__name__}.")
    if not document["models"]:
        raise UsageError("The document of the pack is damaged: it has no model.")
    for model in document["models"]:
        if not isinstance(model, Mapping) or not isinstance(model.get("name"), str):
            raise UsageError("The document of the pack is damaged: each of its models must have a name.")
        check_name("model", model["name"])
