"""Integers for patients and studies whose names are no integers, kept so that the next import gives the same ones."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cxr_core.arrays import IntArray
from cxr_core.atomic import write_text
from cxr_core.errors import DataError
from cxr_core.sources.importing.matching import Names, as_names

FILE = "identifiers.json"

_INTEGER = re.compile(r"[1-9][0-9]{0,17}|0")
_ENDS_WITH_NUMBER = re.compile(r"(?P<prefix>[^0-9]*)(?P<number>[0-9]{1,18})")


class Identifiers:
    """The integers of one source's patients and studies.

    A name that is an integer stands for itself, unless another name was given that integer before: no two names share
    one, in whatever order and files they come.
    """

    def __init__(self, known: dict[str, dict[str, int]] | None = None) -> None:
        self._known: dict[str, dict[str, int]] = {"patient": {}, "study": {}} | (known or {})
        self._given = {kind: set(known.values()) for kind, known in self._known.items()}
        self._in_names: dict[str, set[int]] = {}

    def numbers(self, kind: str, names: Names, taken: Iterable[int] = ()) -> IntArray:
        """Return the integers of names (n,), new ones given to new names.

        A name such as `patient00012` gets the 12, when all new names have one prefix and the number is free.

        Args:
            kind: `patient` or `study`.
            names: as the file spells them, texts or an Arrow array of texts.
            taken: integers that other rows of the source have already.
        """
        known, given = self._known[kind], self._given[kind]
        encoded = as_names(names).dictionary_encode()
        distinct = encoded.dictionary.to_pylist()
        unknown = as_names([name for name in distinct if name not in known]) if known else encoded.dictionary
        # An integer that another name has already cannot stand for itself.
        own = {name: number for name, number in _integers(unknown) if number not in given}
        new = sorted(name for name in distinct if name not in known and name not in own)
        found = _given(new, {*given, *taken, *own.values()})
        known |= found
        given.update(found.values())
        self._in_names.clear()
        numbers = (known | own) if own else known
        return np.array([numbers[name] for name in distinct], np.int64)[encoded.indices.to_numpy()]

    def number(self, kind: str, name: str) -> int | None:
        """Return the integer that a name has or is, None for a name never seen or an integer that is another name's.

        The 12 of `patient00012` is that patient's however it is written, so the integer alone names him too.
        """
        known = self._known[kind]
        if name in known or not _INTEGER.fullmatch(name):
            return known.get(name)
        number = int(name)
        return None if number in self._given[kind] and number not in self._spelled(kind) else number

    def _spelled(self, kind: str) -> set[int]:
        """Return the integers that stand in the names that have them."""
        if kind not in self._in_names:
            ends = ((_ENDS_WITH_NUMBER.fullmatch(name), number) for name, number in self._known[kind].items())
            self._in_names[kind] = {number for match, number in ends if match and int(match["number"]) == number}
        return self._in_names[kind]

    def save(self, folder: Path) -> None:
        """Keep the map in the source's folder, when there is anything to keep."""
        if any(self._known.values()):
            # A name a line; the indents of `json` would make it write them one by one.
            lines = json.dumps(self._known, separators=(",\n", ": "), ensure_ascii=False, sort_keys=True)
            write_text(folder / FILE, lines + "\n")


def load_identifiers(folder: Path) -> Identifiers:
    """Return the map that a source's folder keeps, an empty one when it keeps none."""
    path = folder / FILE
    if not path.is_file():
        return Identifiers()
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        return Identifiers({kind: {str(n): int(i) for n, i in known[kind].items()} for kind in ("patient", "study")})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path} must map names to integers. Restore it, or remove the source and import anew."
        ) from error


def _integers(names: pa.Array) -> Iterable[tuple[str, int]]:
    """Return those of the names that are integers, with them."""
    found = names.filter(pc.match_substring_regex(names, f"^(?:{_INTEGER.pattern})$"))
    return zip(found.to_pylist(), found.cast(pa.int64()).to_pylist(), strict=True)


def _given(names: list[str], used: set[int]) -> dict[str, int]:
    ends = pc.extract_regex(pa.array(names, pa.string()), f"^{_ENDS_WITH_NUMBER.pattern}$")
    if names and not ends.null_count and len(pc.unique(ends.field("prefix"))) == 1:
        proposed = ends.field("number").cast(pa.int64()).to_pylist()
        if len(set(proposed)) == len(names) and used.isdisjoint(proposed):
            return dict(zip(names, proposed, strict=True))
    first = max(used, default=0) + 1
    return {name: first + place for place, name in enumerate(names)}
