"""Which label row a path of somebody else's means: the same path, else the longest tail that is unique on both sides.

Case, slashes and the ending of the file do not count. A tail is what two paths have in common from the end; it counts
when one path is wholly the end of the other (the folder that was given lies above or below the one that the labels
know), when the name is one of DICOM's ids, or when the same two folders stand before it in several rows: then one root
was exchanged for another, which a path of a stranger that happens to end alike does not show.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cxr_core.arrays import IntArray

#: How a row was found, in the order in which it is tried.
WAYS: tuple[str, ...] = ("path", "tail", "dicom", "study")
WAY_WORDS = {
    "path": "by their full path",
    "tail": "by the end of their path",
    "dicom": "by their DICOM id",
    "study": "by their study",
    "patient": "by their patient",
}
MOST_SHOWN = 5
#: How the name of an image ends.
IMAGE_ENDING = r"(?i)\.(?:jpe?g|png|dcm|dicom|tiff?|jp2|bmp)(?:\.gz)?$"

_AMBIGUOUS = -1
_NONE = -1
_ENDING = re.compile(IMAGE_ENDING)
_DICOM_ID = re.compile(r"[0-9a-f.-]{16,}")
#: A folder that names a person or a visit: two different ones are never one root exchanged for another.
_PERSON = re.compile(r"(?:p|patient|s|study|id)?[-_]?\d+")
_ENOUGH = 2

Names: TypeAlias = Sequence[str] | pa.Array | pa.ChunkedArray
_Parts = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Matches:
    """`rows` (n,) are the numbers of the label rows, -1 where none was found; `ways` counts them by `WAYS`."""

    rows: IntArray
    ways: dict[str, int]

    def sentence(self, names: Names, what: str = "rows") -> str:
        """Return by what the rows were matched, and the first ones that were not."""
        found = [f"{count:,} {WAY_WORDS[way]}" for way, count in self.ways.items() if count]
        lost = np.flatnonzero(self.rows == _NONE)
        said = f"Of {len(names):,} {what}, {' and '.join(found) or 'none'} matched the label table."
        if lost.size:
            shown = as_names(names).take(pa.array(lost[:MOST_SHOWN])).to_pylist()
            first = ", ".join(repr(name[:100]) for name in shown)
            said += f" {len(lost):,} did not, the first: {first}."
        return said


def as_names(names: Names) -> pa.Array:
    """Return texts (n,) as an Arrow array of them."""
    found = names.combine_chunks() if isinstance(names, pa.ChunkedArray) else names
    return found.cast(pa.string()) if isinstance(found, pa.Array) else pa.array(found, pa.string())


def match_paths(theirs: Names, ours: Names) -> Matches:
    """Return which of our paths each of theirs is."""
    theirs, ours = as_names(theirs), as_names(ours)
    rows = pc.index_in(theirs, ours).fill_null(_NONE).to_numpy(zero_copy_only=False).astype(np.int64)
    rest = np.flatnonzero(rows == _NONE)
    exact, by_dicom = len(rows) - len(rest), 0
    if len(rest):
        lost = theirs.take(pa.array(rest)).to_pylist()
        found = _by_tail(sorted(set(lost)), pc.unique(theirs).to_pylist(), ours.to_pylist())
        for place, name in zip(rest, lost, strict=True):
            rows[place], is_dicom = found.get(name, (_NONE, False))
            by_dicom += is_dicom
    tails = int((rows != _NONE).sum()) - exact - by_dicom
    return Matches(rows, {"path": exact, "tail": tails, "dicom": by_dicom, "study": 0})


def _by_tail(names: list[str], all_names: list[str], ours: Sequence[str]) -> dict[str, tuple[int, bool]]:
    """Return the row of each name that has one, and whether its DICOM id found it."""
    own_parts = [_parts(path) for path in ours]
    rows_by_tail: dict[_Parts, int] = {}
    for number, parts in enumerate(own_parts):
        for start in range(len(parts)):
            tail = parts[start:]
            rows_by_tail[tail] = number if rows_by_tail.get(tail, number) == number else _AMBIGUOUS
    # The same name spelled in two ways (slashes, case) is one name.
    shared = Counter(parts[start:] for parts in {_parts(name) for name in all_names} for start in range(len(parts)))
    found = {name: _candidate(_parts(name), rows_by_tail, shared) for name in names}
    roots = Counter(
        _roots(_parts(name), own_parts[row], length) for name, (row, length) in found.items() if row != _NONE
    )
    return {
        name: (row, way)
        for name, (row, length) in found.items()
        if row != _NONE and (way := _believed(_parts(name), own_parts[row], length, roots)) is not None
    }


def _candidate(parts: _Parts, rows_by_tail: dict[_Parts, int], shared: Counter[_Parts]) -> tuple[int, int]:
    """Return the row with the longest common tail, if it is one row's and one name's alone, and the tail's length."""
    for start in range(len(parts)):
        tail = parts[start:]
        row = rows_by_tail.get(tail)
        if row is not None:
            alone = row != _AMBIGUOUS and shared[tail] == 1
            return (row if alone else _NONE), len(tail)
    return _NONE, 0


def _roots(theirs: _Parts, ours: _Parts, length: int) -> tuple[_Parts, _Parts]:
    return theirs[: len(theirs) - length], ours[: len(ours) - length]


def _believed(theirs: _Parts, ours: _Parts, length: int, roots: Counter[tuple[_Parts, _Parts]]) -> bool | None:
    """Return None where a common tail may be chance, else whether it is a DICOM id alone that tells."""
    root, own_root = _roots(theirs, ours, length)
    is_dicom = length == 1 and _DICOM_ID.fullmatch(theirs[-1]) is not None
    if is_dicom:
        return True
    if not root or not own_root:
        return False
    persons = _PERSON.fullmatch(root[-1]) and _PERSON.fullmatch(own_root[-1])
    return False if roots[root, own_root] >= _ENOUGH and not persons else None


def _parts(path: str) -> _Parts:
    """Return the parts of a path in lower case, whatever its slashes, the last one without the ending of an image."""
    plain = _ENDING.sub("", path.replace("\\", "/").lower())
    return tuple(part for part in plain.split("/") if part not in ("", "."))
