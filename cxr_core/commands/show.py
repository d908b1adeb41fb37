"""`show`: what is said of one image, or what it looks like."""

import argparse
from typing import Any

from cxr_core.commands.output import as_table, shown
from cxr_core.commands.parsing import Answer, Command, Parser
from cxr_core.errors import UsageError
from cxr_core.tasks.image_facts import ImageFacts, image_facts
from cxr_core.tasks.show import MapWish, show


def _arguments(parser: Parser) -> None:
    add = parser.add_argument
    add("path", metavar="PATH", help="the path of an image, as `images` lists it")
    add("--to", metavar="FILE.png", help="write the picture to this file; without it, say what is said of the image")
    add("--replace", action="store_true", help="overwrite a file that exists")
    add("--saliency", action="store_true", help="lay over it where a model looks (Grad-CAM); needs --model and --label")
    add("--model", metavar="M", action="append", default=[], help="whose predictions are told, several times for "
        "several; with --saliency a model with weights, or an .h5 or .keras file")  # fmt: skip
    add("--label", metavar="L", help="one of the 14 labels")
    add("--random-weights", action="store_true", help="the map of the same network with random weights, as a check")


def _show(given: argparse.Namespace) -> Answer:
    if given.to is None:
        return _said(given)
    done = show(given.source, given.path, given.to, given.replace, confined=False, wish=_map_wish(given))
    return Answer(done.as_json(), lambda: f"Wrote {done.path} to {done.file}")


def _map_wish(given: argparse.Namespace) -> MapWish | None:
    if given.saliency and len(given.model) == 1 and given.label:
        return MapWish(given.model[0], given.label, given.random_weights)
    if given.saliency:
        if len(given.model) > 1:
            raise UsageError(f"A map is that of one model. Received: {', '.join(given.model)}.")
        raise UsageError("A map is that of a model for a label. Name both, with --model and --label.")
    if given.model or given.label or given.random_weights:
        raise UsageError("Only a map needs --model, --label or --random-weights. Add --saliency, or leave them out.")
    return None


def _said(given: argparse.Namespace) -> Answer:
    if given.saliency or given.label or given.random_weights or given.replace:
        raise UsageError("--saliency, --label, --random-weights and --replace are of a picture. Add --to FILE.png.")
    found = image_facts(given.source, given.path, given.model)
    for model in given.model:
        if model not in found.models:
            raise UsageError(f"The model {model} does not predict the image {given.path}. Name one that does.")
    return Answer(found.as_json(), lambda: _text(found))


def _text(found: ImageFacts) -> str:
    document = found.as_json()
    headers = ["label", "report", *(["truth"] if found.truth is not None else []), *found.models]
    rows = [[label, *_of_label(document, label)] for label in found.values]
    readers = [
        (one["set"], one["reader"], "study" if one["of_study"] else "image", shown(one["verdicts"]))
        for one in document["readers"]
    ]
    head = f"{found.path}: {found.dataset}, {found.view or 'no view'}, patient {found.patient}, study {found.study}"
    parts = [head, as_table(headers, rows)]
    if readers:
        parts.append(as_table(("set", "reader", "read", "verdicts"), readers))
    parts += [f"Also of the study: {one['path']} ({one['view'] or 'no view'})" for one in document["others"]]
    return "\n\n".join(parts)


def _of_label(document: dict[str, Any], label: str) -> list[Any]:
    truth = document["truth"]
    cells: list[Any] = [
        document["report"][label],
        *([] if truth is None else ["present" if truth[label] else "absent"]),
    ]
    for said in document["models"].values():
        one = said.get(label, {"score": None, "probability": None})
        cells.append(one["score"] if one["probability"] is None else one["probability"])
    return cells


SHOW = Command("show", "Say what is said of one image, or write it as a PNG file.", _arguments, _show)
