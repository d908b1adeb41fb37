"""Embeddings that somebody else's model made of the images, out of files: TFRecords, Parquet or NumPy.

TFRecords are those of Google's CXR Foundation (Sellergren et al. 2022): of each image the bytes `image/id` and the
floats `embedding`. A Parquet file has a column `path`, `image/id` or `id` and a column `embedding` of equally long
lists; an `.npz` has the arrays `id` (texts) and `embedding` (images, size). An `.npy` is such an array alone: a text
file beside it, `NAME.txt`, has the ids, one a line.
"""

import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cxr_core.errors import DataError, UsageError
from cxr_core.file_patterns import files_matching
from cxr_core.records.embedding import decode_embedding
from cxr_core.records.tfrecord import read_payloads

#: Also of shards, as in `embeddings.tfrecord-00000-of-00010`.
_NAMES = re.compile(r".+\.(?P<kind>parquet|np[yz]|tfrecord)s?([-.@*?\[].*)?")
_ID_COLUMNS = ("path", "image/id", "id")
_VECTOR = "embedding"
_FORMS = "a .parquet, .npz or .npy file, or TFRecords whose names have .tfrecord"

_Vectors = npt.NDArray[np.float32]
_Rows = Iterator[tuple[Sequence[str], _Vectors]]


def are_embeddings(model: str) -> bool:
    """Say whether what is named as a model is a file of embeddings, or a pattern of such files."""
    return _NAMES.fullmatch(Path(model).name) is not None


def embedding_files(pattern: str) -> tuple[str, ...]:
    """Return the files of a pattern.

    Raises:
        UsageError: there is none.
    """
    files = tuple(files_matching(pattern))
    if not files:
        raise UsageError(f"No file of embeddings is at {pattern}. Name {_FORMS}.")
    return files


def read_embeddings(files: Sequence[str], tell: Callable[[int], None]) -> tuple[list[str], _Vectors]:
    """Return the ids of the images and their embeddings (images, size); `tell` hears how many files are read.

    Raises:
        DataError: a file is damaged or in another form, or embeddings are of several sizes or not finite.
    """
    ids: list[str] = []
    found: list[_Vectors] = []
    for number, file in enumerate(files):
        tell(number)
        for names, vectors in _READERS[_kind(file)](file):
            _check(file, names, vectors, found)
            ids += names
            found.append(vectors)
    if not ids:
        raise DataError(f"There is no embedding in {files[0]}. Name {_FORMS}.")
    return ids, np.concatenate(found)


def embedded_rows(ids: Sequence[str], keys: pd.DataFrame) -> pd.Series:
    """Return which label row each id is of, as positions in `keys` with -1 for none, by the first way that finds any.

    An id is the path of the label row, that without its ending, or the name of the file alone where only one row has
    it.

    Raises:
        DataError: no id is of a label row.
    """
    for of_path in (str, _without_ending, _name_alone):
        places = pd.Series(np.arange(len(keys)), index=[of_path(path) for path in keys["path"]])
        places = places[~places.index.duplicated(keep=False)]
        found = places.reindex([of_path(one) for one in ids]).fillna(-1).astype(np.int64)
        if (found >= 0).any():
            return found.reset_index(drop=True)
    raise DataError(
        f"No embedding is of an image of the label tables: ids are as in {ids[0]!r:.80}, paths as in "
        f"{keys['path'].iloc[0] if len(keys) else 'none'!r:.80}."
    )


def _without_ending(path: str) -> str:
    return str(PurePosixPath(path).with_suffix(""))


def _name_alone(path: str) -> str:
    return PurePosixPath(path).stem


def _kind(file: str) -> str:
    named = _NAMES.fullmatch(Path(file).name)
    if named is None:
        raise UsageError(f"{file} is no file of embeddings. Name {_FORMS}.")
    return named["kind"]


def _check(file: str, names: Sequence[str], vectors: _Vectors, before: Sequence[_Vectors]) -> None:
    if vectors.ndim != 2 or len(names) != len(vectors):
        raise DataError(f"{file} must have one embedding for each of {len(names)} ids. Received: {vectors.shape}.")
    if before and before[0].shape[1] != vectors.shape[1]:
        sizes = f"{before[0].shape[1]} and {vectors.shape[1]}"
        raise DataError(f"Embeddings must all have one size. Received: {sizes}, in {file}.")
    if not np.isfinite(vectors).all():
        raise DataError(f"{file} has embeddings that are not finite. Make the file anew.")


def _from_records(file: str) -> _Rows:
    for number, payload in enumerate(read_payloads(file), start=1):
        name, vector = decode_embedding(payload, f"record {number} of {file}")
        yield [name], vector[None]


def _from_parquet(file: str) -> _Rows:
    try:
        table = pq.read_table(file)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{file} is no Parquet file, or is damaged. Copy it anew.") from error
    name = next((column for column in _ID_COLUMNS if column in table.column_names), None)
    if name is None or _VECTOR not in table.column_names:
        raise DataError(f"{file} must have a column {_VECTOR}, and one of {', '.join(_ID_COLUMNS)}.")
    lists = table.column(_VECTOR).combine_chunks()
    sizes = set(lists.value_lengths().to_pylist()) if _is_list(lists.type) else {None}
    if len(sizes) != 1 or None in sizes:
        raise DataError(f"The column {_VECTOR} of {file} must have lists of numbers, all of one size.")
    try:
        vectors = lists.flatten().to_numpy(zero_copy_only=False).astype(np.float32).reshape(len(lists), -1)
    except (TypeError, ValueError) as error:
        raise DataError(f"The column {_VECTOR} of {file} must have lists of numbers.") from error
    yield [str(one) for one in table.column(name).to_pylist()], vectors


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _from_numpy(file: str) -> _Rows:
    try:
        with np.load(file, allow_pickle=False) as arrays:
            names, vectors = arrays["id"], arrays[_VECTOR].astype(np.float32)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{file} must be an .npz of two plain arrays, id (texts) and {_VECTOR} (numbers).") from error
    yield [one.decode() if isinstance(one, bytes) else str(one) for one in names.ravel()], vectors


def _from_plain_numpy(file: str) -> _Rows:
    ids = Path(file).with_suffix(".txt")
    try:
        names = ids.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise DataError(f"{file} needs {ids.name} beside it, with the id of an image on each line.") from error
    try:
        # Mapped, a file that claims more than it has is refused before anything is taken for it.
        yield names, np.asarray(np.load(file, mmap_mode="r", allow_pickle=False)).astype(np.float32)
    except (OSError, ValueError, TypeError, EOFError) as error:
        raise DataError(f"{file} must be one plain array of numbers (images, size), or is damaged.") from error


_READERS: dict[str, Callable[[str], _Rows]] = {
    "tfrecord": _from_records,
    "parquet": _from_parquet,
    "npz": _from_numpy,
    "npy": _from_plain_numpy,
}
