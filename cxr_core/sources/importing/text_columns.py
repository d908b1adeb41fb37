"""The columns of a file as texts."""

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


class TextColumns(Mapping[str, pa.Array]):
    """The columns of a file, each made whole, and without blanks around its texts, when it is first asked for."""

    def __init__(self, table: pa.Table) -> None:
        self._as_read: dict[str, pa.ChunkedArray] = {name: table[name] for name in table.column_names}
        self._whole: dict[str, pa.Array] = {}

    def __getitem__(self, name: str) -> pa.Array:
        if name not in self._whole:
            self._whole[name] = _trimmed(self._as_read[name].combine_chunks())
            self._as_read[name] = pa.chunked_array([self._whole[name]])
        return self._whole[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._as_read)

    def __len__(self) -> int:
        return len(self._as_read)

    def as_read(self, name: str) -> pa.ChunkedArray:
        """Return a column whose texts may have blanks around them."""
        return self._as_read[name]


def _trimmed(text: pa.Array) -> pa.Array:
    """Return texts without blanks around them, NULL where nothing remains."""
    without = text if has_letters_only(text) else pc.utf8_trim_whitespace(text)
    nothing = pc.equal(without, "")
    return pc.if_else(nothing, None, without) if pc.any(nothing).as_py() else without


def has_letters_only(text: pa.Array) -> bool:
    """Say whether texts are nothing but ASCII's visible letters; false also of what may be so, in memory shared."""
    letters = text.buffers()[2]
    codes = np.frombuffer(letters or b"", np.uint8)
    return not codes.size or bool(codes.min() > ord(" ") and codes.max() <= ord("~"))
