"""The three checklists of a reviewer, each item filled from the document, asked of the authors, or not applicable."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from cxr_core.pack.answers import ANSWERS
from cxr_core.pack.reply import Said

#: In which an item can stand.
FILLED, ASKED, NOT_APPLICABLE = "filled", "asked of the authors", "not applicable"
LISTS = ("claim_2024", "tripod_ai", "stard_ai")


@dataclass(frozen=True)
class Item:
    """One item of a list: what it asks, in our own words, how it stands, and what the pack says."""

    number: str
    asks: str
    status: str
    answer: str


@dataclass(frozen=True)
class Checklist:
    """A list of items with its name and where it was published."""

    name: str
    source: str
    items: Sequence[Item]


def checklists(document: Mapping[str, Any]) -> list[Checklist]:
    """Return all lists for a document."""
    return [_checklist(name, document) for name in LISTS]


def _checklist(name: str, document: Mapping[str, Any]) -> Checklist:
    read = tomllib.loads((files("cxr_core.pack") / "checklists" / f"{name}.toml").read_text(encoding="utf-8"))
    items = [_item(number, told, document) for number, told in read["items"].items()]
    return Checklist(read["name"], read["source"], items)


def _item(number: str, told: Mapping[str, str], document: Mapping[str, Any]) -> Item:
    said: Said = ANSWERS[told["answer"]](document) if "answer" in told else None
    if said is None:
        return Item(number, told["asks"], ASKED, "")
    return Item(number, told["asks"], FILLED if said.applies else NOT_APPLICABLE, said.words)
