"""In which order the records of an epoch come: shuffled files, pieces of files, and records.

Files often hold sorted patients, and there may be only one. So each local file is cut into pieces of some records,
the pieces are dealt out in a random order, many are read at a time, and their records go through a shuffle buffer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from cxr_core.arrays import IntArray
from cxr_core.processes import cores
from cxr_core.records.tfrecord import record_offsets

_PIECE_RECORDS = 256
_PIECES_AT_ONCE = 16
_SHUFFLED_RECORDS = 2048
_READ_BUFFER_BYTES = 1024 * 1024
#: About a record: what is read where one is picked.
_ONE_RECORD_BYTES = 32 * 1024
_TO_THE_END = -1

#: A piece's path, offset, first and count, as tensors -> a data set.
PieceReader = Callable[[Any, Any, Any, Any], Any]


@dataclass(frozen=True)
class Piece:
    """Some records of one file that follow one another.

    Attributes:
        offset: where the first begins, in bytes.
        first: the number of the first in all files together, from 0; -1 where it is not known.
        count: how many they are; -1 = to the end of the file.
    """

    path: str
    offset: int
    first: int
    count: int


@dataclass(frozen=True)
class RecordFiles:
    """TFRecord files, cut into pieces.

    Attributes:
        images: records in all files; None where a remote file would have to be read through for it.
        offsets: (images,) where each record begins in its file, in bytes; empty where `images` is None.
    """

    paths: tuple[str, ...]
    pieces: tuple[Piece, ...]
    images: int | None
    offsets: IntArray = field(default_factory=lambda: np.zeros(0, np.int64), compare=False)

    @staticmethod
    def of(paths: Sequence[str | Path]) -> "RecordFiles":
        """Cut local files by the lengths of their records; remote ones (gs://, ram://) stay whole.

        Raises:
            RecordError: a local file cannot be read or is cut off.
        """
        names = tuple(str(path) for path in paths)
        pieces: list[Piece] = []
        known: list[int] = []
        for name in names:
            if "://" in name:
                pieces.append(Piece(name, 0, -1, _TO_THE_END))
                continue
            offsets = record_offsets(Path(name))
            for start in range(0, len(offsets), _PIECE_RECORDS):
                count = min(_PIECE_RECORDS, len(offsets) - start)
                pieces.append(Piece(name, offsets[start], len(known) + start, count))
            known += offsets
        if any("://" in name for name in names):
            return RecordFiles(names, tuple(pieces), None)
        return RecordFiles(names, tuple(pieces), len(known), np.array(known, np.int64))

    def _readers(self) -> int:
        """Return how many pieces are read at once; more than half the cores would only get in the decoder's way."""
        return int(tf.data.AUTOTUNE) if self.images is None else max(1, cores() // 2)

    def count(self) -> int:
        """Return the number of records; remote files are read through once."""
        if self.images is not None:
            return self.images
        remote = [path for path in self.paths if "://" in path]
        local = sum(piece.count for piece in self.pieces if piece.count >= 0)
        return local + int(tf.data.TFRecordDataset(remote).reduce(np.int64(0), lambda total, _: total + 1))

    def in_file_order(self) -> Any:
        """Return the serialised examples, file after file."""
        return tf.data.TFRecordDataset(list(self.paths), buffer_size=_READ_BUFFER_BYTES)

    def picker(self) -> Callable[[Any], Any]:
        """Return what makes of the number of a record its serialised example, reading nothing else of its file.

        Only where `images` is known.
        """
        paths = tf.constant([piece.path for piece in self.pieces])
        firsts = tf.constant([piece.first for piece in self.pieces], tf.int64)
        offsets = tf.constant(self.offsets)

        def pick(number: Any) -> Any:
            piece = tf.searchsorted(firsts, number[tf.newaxis], side="right")[0] - 1
            return payloads(paths[piece], offsets[number], number, 1, _ONE_RECORD_BYTES).get_single_element()

        return pick

    def shuffled(self, seed: int, epoch: int, kind: PieceReader) -> Any:
        """Return the examples of an epoch in an order that depends on `seed` and `epoch` alone.

        `kind` makes a piece (path, offset, first, count) a dataset: `payloads`, `numbers`, or `numbered_payloads`. The
        order is the same for all three.
        """
        order = np.random.default_rng([seed, epoch])
        pieces = [self.pieces[index] for index in order.permutation(len(self.pieces))]
        columns = (
            tf.constant([piece.path for piece in pieces]),
            *(
                tf.constant([getattr(piece, name) for piece in pieces], tf.int64)
                for name in ("offset", "first", "count")
            ),
        )
        records = tf.data.Dataset.from_tensor_slices(columns).interleave(
            tf.autograph.experimental.do_not_convert(kind),
            cycle_length=min(len(pieces), _PIECES_AT_ONCE),
            num_parallel_calls=self._readers(),
            deterministic=True,
        )
        buffer_seed = int(order.integers(2**31))
        return records.shuffle(_SHUFFLED_RECORDS, seed=buffer_seed, reshuffle_each_iteration=False)


def payloads(path: Any, offset: Any, _first: Any, count: Any, buffer: int = _READ_BUFFER_BYTES) -> Any:
    """Return the serialised examples of a piece, read through a buffer of so many bytes."""
    variant = tf.raw_ops.TFRecordDatasetV2(
        filenames=path[tf.newaxis],
        compression_type="",
        buffer_size=tf.constant(buffer, tf.int64),
        byte_offsets=offset[tf.newaxis],
    )
    return tf.data.experimental.from_variant(variant, tf.TensorSpec((), tf.string)).take(count)


def numbers(_path: Any, _offset: Any, first: Any, count: Any) -> Any:
    """Return the numbers of a piece's records."""
    return tf.data.Dataset.range(first, first + count)


def numbered_payloads(path: Any, offset: Any, first: Any, count: Any) -> Any:
    """Return (number, serialised example) of a piece's records."""
    return tf.data.Dataset.zip((numbers(path, offset, first, count), payloads(path, offset, first, count)))
