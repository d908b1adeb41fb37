"""What a pack knows of the models: the items of a checklist that are about them."""

from collections.abc import Mapping
from typing import Any

from cxr_core.pack.document import Document
from cxr_core.pack.reply import Reply, Said


def _trainings(document: Document) -> list[tuple[str, Mapping[str, Any]]]:
    return [(model["name"], model["training"] or {}) for model in document["models"] if not model["ensemble"]]


def _ours(document: Document) -> bool:
    """Say whether the network of every model is known, which sees an image and nothing else."""
    return all("architecture" in told for _, told in _trainings(document))


def architecture(document: Document) -> Said:
    """Return what is known of: architecture."""
    known = {told["architecture"] for _, told in _trainings(document) if "architecture" in told}
    return Reply(f"{', '.join(sorted(known))}: one image in, a logit a label out; weights file.") if known else None


def training(document: Document) -> Said:
    """Return what is known of: training."""
    known = [(name, told) for name, told in _trainings(document) if "epochs" in told]
    texts = [f"{name}: {', '.join(f'{key} {value}' for key, value in told.items())}" for name, told in known]
    return Reply("; ".join(texts)) if texts and len(texts) == len(_trainings(document)) else None


def initialisation(document: Document) -> Said:
    """Return what is known of: initialisation."""
    known = [(name, told) for name, told in _trainings(document) if "epochs" in told]
    if not known or len(known) < len(_trainings(document)):
        return None
    return Reply("; ".join(f"{name}: {told.get('init_from') or 'random weights'}" for name, told in known))


def ensemble(document: Document) -> Said:
    """Return what is known of: ensemble."""
    members = [model["name"] for model in document["models"] if model["ensemble"]]
    if not members:
        return Reply("None of the models is an ensemble.", applies=False)
    return Reply(f"{', '.join(members)}: recipe in the prediction table.")


def internal(document: Document) -> Said:
    """Return what is known of: internal."""
    homes = {told.get("source") for _, told in _trainings(document)}
    if homes != {document["source"]}:
        return None
    return Reply(f"Trained on the source {document['source']}, judged on its data set {document['dataset']}.")


def development(document: Document) -> Said:
    """Return what is known of: development."""
    if "train" not in document["characteristics"][0]["counts"] or internal(document) is None:
        return None
    return Reply("Table of characteristics, train beside the others.")


def preprocessing(document: Document) -> Said:
    """Return what is known of: preprocessing."""
    sizes = {
        model["training"]["image_size"] for model in document["models"] if "image_size" in (model["training"] or {})
    }
    if not sizes:
        return None
    told = ", ".join(f"{size} pixels a side" for size in sorted(sizes))
    return Reply(f"One channel of 8 bits, made smaller to {told}, the same for every image.")


def index_blind(document: Document) -> Said:
    """Return what is known of: index blind."""
    return Reply("A model sees the image alone: no clinical information, no label.") if _ours(document) else None


def predictor(document: Document) -> Said:
    """Return what is known of: predictor."""
    return Reply("The pixels of the image, and nothing else.") if _ours(document) else None


def no_assessor(document: Document) -> Said:
    """Return what is known of: no assessor."""
    return Reply("The predictor is the image; nobody interprets it.", applies=False) if _ours(document) else None


def predicting(document: Document) -> Said:
    """Return what is known of: predicting."""
    return Reply("By the model's weights (`cxr predict`) or as imported; stored, and ranked as stored.")


def imbalance(document: Document) -> Said:
    """Return what is known of: imbalance."""
    if any("epochs" not in told for _, told in _trainings(document)):
        return None
    return Reply("No class was weighted or drawn more often.")


def updating(document: Document) -> Said:
    """Return what is known of: updating."""
    cuts = (cut for model in document["models"] if model["card"] for cut in model["card"]["labels"].values())
    methods = sorted({cut["recalibrated"]["method"] for cut in cuts if "recalibrated" in cut})
    if not methods:
        return Reply("No model was updated.", applies=False)
    return Reply(f"Recalibrated ({', '.join(methods)}) on the images of the cards; table of recalibration.")


def output(document: Document) -> Said:
    """Return what is known of: output."""
    scales = ", ".join(sorted({model["scale"] for model in document["models"]}))
    cut = cuts(document)
    return Reply(f"One {scales} a label.{f' Thresholds: {cut.words}.' if cut else ' No threshold is used here.'}")


def cuts(document: Document) -> Said:
    """Return what is known of: cuts."""
    if not has_cards(document):
        return None
    cards = [model["card"] for model in document["models"]]
    return Reply("; ".join(f"{card['card']}: {card['rule']}, chosen on {card['on']}" for card in cards))


def has_cards(document: Document) -> bool:
    """Return what is known of: has cards."""
    return all(model["card"] for model in document["models"])
