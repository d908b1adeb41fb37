"""Names that fit a table's head and a legend: what the models' names share is left out, what differs stays."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, takewhile

#: Longer names lose their middle.
LONGEST = 26
#: A part begins with a letter, so that "u0_5" stays in one piece.
_PARTS = re.compile(r"(?<=[_.\-])(?=[A-Za-z])")


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Return name -> short name, each once: names of one beginning lose what all of them share at both ends.

    `densenet_frontal_u0_0__w0_0` beside `densenet_frontal_u1_0__w1_0` becomes `u0_0__w0_0`; a name that stands alone
    stays as it is.
    """
    each = list(dict.fromkeys(names))
    parts = {name: _PARTS.split(name) for name in each}
    found = {}
    for _, grouped in groupby(sorted(each, key=lambda name: parts[name][0]), key=lambda name: parts[name][0]):
        group = list(grouped)
        shared, ending = _shared([parts[name] for name in group]) if len(group) > 1 else (0, 0)
        found.update({name: _cut("".join(parts[name][shared : len(parts[name]) - ending])) for name in group})
    clear = len(set(found.values())) == len(found)
    return {name: found[name] if clear else name for name in each}


def left_out(names: Mapping[str, str]) -> list[str]:
    """Return the beginnings that short names lack, each once, from what `short_names` returned."""
    return list(dict.fromkeys(name[: name.index(short)] for name, short in names.items() if name.find(short) > 0))


def _shared(parts: Sequence[Sequence[str]]) -> tuple[int, int]:
    """Return how many parts all share at the beginning and at the end; at least one stays of each."""
    most = min(map(len, parts)) - 1
    beginning = sum(1 for _ in takewhile(lambda same: len(set(same)) == 1, zip(*parts, strict=False)))
    beginning = min(beginning, most)
    backwards = [list(reversed(each[beginning:])) for each in parts]
    ending = sum(1 for _ in takewhile(lambda same: len(set(same)) == 1, zip(*backwards, strict=False)))
    return beginning, min(ending, most - beginning)


def _cut(name: str) -> str:
    name = name.strip("_.-") or name
    if len(name) <= LONGEST:
        return name
    half = (LONGEST - 1) // 2
    return f"{name[:half]}…{name[-half:]}"
