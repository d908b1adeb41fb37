"""A digest of the weights that goes with a model file, so that a flipped byte is told.

HDF5 checks nothing of itself: a byte that a disk or a copy changed becomes another weight, and the model says other
things without a word. The digest is of the numbers, as they are read, and not of the file, which other tools may pack
anew; what is said of the network has one of its own, which is checked when nothing else is read. It is no signature:
whoever can write the file can write a digest. Files of others, and those of before, have none.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cxr_core.errors import ModelFileError

ATTRIBUTE = "cxr_digest"


def digests(info: str, layers: Iterable[Sequence[npt.NDArray[Any]]]) -> str:
    """Return what the attribute says: the SHA-256 of a model's description and of its weights, as JSON."""
    return json.dumps({"info": _of_text(info), "weights": _of_arrays(layers)})


def check_info(attributes: Any, info: str) -> None:
    """Raise `ModelFileError` where the description is another one than was written with these attributes of a file."""
    if (said := _said(attributes, "info")) and said != _of_text(info):
        raise ModelFileError("what it says of its network was changed after it was written")


def check_weights(attributes: Any, layers: Iterable[Sequence[npt.NDArray[Any]]]) -> None:
    """Raise `ModelFileError` where the weights are others than were written with these attributes of a file."""
    if (said := _said(attributes, "weights")) and said != _of_arrays(layers):
        raise ModelFileError("its weights were changed after it was written, by a disk or a copy.")


def _said(attributes: Any, what: str) -> str:
    if ATTRIBUTE not in attributes:
        return ""
    return str(json.loads(attributes[ATTRIBUTE])[what])


def _of_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _of_arrays(layers: Iterable[Sequence[npt.NDArray[Any]]]) -> str:
    """Return the digest of arrays in their order, each with its shape, as float32 of the smaller end first."""
    digest = hashlib.sha256()
    for arrays in layers:
        for array in arrays:
            digest.update(f"{array.shape}".encode())
            digest.update(np.ascontiguousarray(array, "<f4").tobytes())
        digest.update(b"|")
    return digest.hexdigest()
