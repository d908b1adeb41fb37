"""How the line of a model is told from others, decided by nothing but its name: on every page and in every pack alike.

The hues are those of Okabe and Ito (2008), darkened where white paper needs it; colour never stands alone, lines have
dashes too.
"""

import hashlib

#: The models' colours on white paper; the first belong to the pretrained strategies.
PAPER = ("#0072B2", "#C78400", "#009E73", "#BF6497", "#2F93CC", "#D55E00", "#8F8300")
#: Stand in where two lines of one chart would share a colour.
FURTHER = ("#6A3D9A", "#7A3B1E", "#B0003A")
#: The pretrained strategies have fixed places; other models share the rest by their name.
#: Short gaps: the steps of a curve must stay readable. No dots: a dotted line is the baseline of chance.
STRATEGIES = {
    "u0_0__w0_0": "solid",
    "u0_0__w1_0": "9px,2px",
    "u1_0__w1_0": "9px,2px,2px,2px",
    "u0_5__w0_25": "4px,2px",
}
_DASHES = ("6px,2px", "14px,2px,2px,2px", "6px,2px,2px,2px", "14px,2px")


def place_and_dash(name: str) -> tuple[int, str]:
    """Return which of the models' colours the line of a model has, and its dash: `solid` or pixels on and off."""
    for place, (strategy, dash) in enumerate(STRATEGIES.items()):
        if name.endswith(strategy) and name.startswith("densenet_"):
            return place, dash
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    free = len(PAPER) - len(STRATEGIES)
    return len(STRATEGIES) + number % free, _DASHES[number // free % len(_DASHES)]
