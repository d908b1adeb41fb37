"""What a pack says in sentences: its title, who judges, the methods."""

from collections.abc import Mapping
from typing import Any

from cxr_core.pack.document import Document
from cxr_core.pack.group_tables import columns_words, models_by_group
from cxr_core.schema import REPORT, TRUTH
from cxr_core.words import counted

NOTICE = "Not a medical device."
SYNTHETIC = "Synthetic demo data: no patient stands behind these figures."


def title(document: Document) -> str:
    """Return the heading of the page."""
    models = document["models"]
    who = models[0]["name"] if len(models) == 1 else counted(len(models), "model")
    return f"{who} on {document['dataset']} of {document['source']}"


def judge_words(document: Document) -> str:
    """Return who says what is positive."""
    judge = document["judge"]
    if judge == REPORT:
        return "the labels of the radiology report"
    if judge == TRUTH:
        return "the truth, known because the images are made" if document["synthetic"] else "the table of the truth"
    return f"the majority of the readers of the set {judge}"


def size_words(document: Document) -> str:
    """Return on how many images, studies and patients each model is judged, models with equal counts together."""
    each: dict[str, list[str]] = {}
    for model in document["models"]:
        counts = [counted(model["flow"][-1][unit], one) for unit, one in _UNITS.items()]
        each.setdefault(f"{counts[0]} ({counts[1]}, {counts[2]})", []).append(model["name"])
    return "; ".join(f"{' and '.join(names)} on {counts}" for counts, names in each.items())


_UNITS = {"images": "image", "studies": "study", "patients": "patient"}


def methods(document: Document) -> list[str]:
    """Return the methods of a paper, a paragraph a text."""
    view = f" of the {document['view']} view" if document["view"] else ""
    judged = (
        f"We judged {size_words(document)} of the data set {document['dataset']}{view} of {document['source']}. "
        f"What is positive is said by {judge_words(document)}."
    )
    trained = " ".join(_trained(model) for model in document["models"])
    return [
        judged,
        trained,
        *document["methods"],
        *_corrections(document),
        *_groups(document),
        *_cards(document),
        _software(document),
    ]


def _trained(model: Mapping[str, Any]) -> str:
    what = (
        "is an ensemble"
        if model["ensemble"]
        else f"was trained with this treatment of uncertain labels: {model['policy']}"
    )
    training = model["training"] or {}
    told = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in training.items())
    return f"{model['name']} {what}{f' ({told})' if told else ''}; its predictions are stored as {model['scale']}s."


def _corrections(document: Document) -> list[str]:
    pairs = [pair for pair in document["differences"] if "labels" in pair]
    if not pairs:
        return []
    return [
        "Differences in AUC are of the images that both models predict; p and intervals are corrected for all labels "
        "of a pair (Holm 1979), each interval at the level at which its label was tested. "
        + " ".join(f"{pair['family']}." for pair in pairs)
    ]


def _groups(document: Document) -> list[str]:
    if not models_by_group(document):
        return []
    return [
        f"Each group by {columns_words(document)} was set beside all other images: sensitivity and specificity by "
        "Newcombe's interval of the difference on Wilson's bounds by patient, AUC by Student's t on what each patient "
        "adds to the difference; p and intervals are corrected for all labels and groups (Holm 1979)."
    ]


def _cards(document: Document) -> list[str]:
    return [
        f"The thresholds of {model['name']} were chosen on {model['card']['on']} by the rule {model['card']['rule']} "
        f"and judged on {document['dataset']}."
        + (" Chosen and judged on the same images, they look better than they are on others."
           if model["card"]["on"] == document["dataset"] else "")
        for model in document["models"]
        if model["card"]
    ]  # fmt: skip


def _software(document: Document) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in document["software"].items())
    settings = ", ".join(f"{name} {value}" for name, value in document["settings"].items())
    return f"Figures are by {document['made_by']} ({versions}; {settings}; seed {document['seed']})."
