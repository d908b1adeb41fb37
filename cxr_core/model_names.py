"""What the name of a model tells of its view, u and w, as the pretrained models of 2019 are called."""

import re

from cxr_core.schema import VIEWS

_MODEL_NAME = re.compile(r"densenet_(?P<view>[a-z]+)_u(?P<u>\d+_\d+)__w(?P<w>\d+_\d+)(?:\W.*)?")


def parse_model_name(name: str) -> tuple[str | None, float | None, float | None]:
    """Return (view, u, w) that a name such as `densenet_frontal_u0_5__w0_25` tells, each None when it does not."""
    match = _MODEL_NAME.fullmatch(name)
    if match is None:
        return None, None, None
    view = match["view"] if match["view"] in VIEWS else None
    return view, _unspelled(match["u"]), _unspelled(match["w"])


def spelled_pair(u: float, w: float) -> str:
    """Return u and w as a name tells them: `u0_4__w0_75`."""
    return f"u{_spelled(u)}__w{_spelled(w)}"


def _spelled(number: float) -> str:
    shown = f"{number:g}"
    return (shown if "." in shown else f"{shown}.0").replace(".", "_")


def _unspelled(text: str) -> float | None:
    number = float(text.replace("_", "."))
    return number if number <= 1 else None
