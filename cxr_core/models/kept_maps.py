"""Maps that were computed before: files of the workspace, one an image and model, bounded in bytes.

A file holds the maps of all labels of an image. Its name is made of the model's content (by its stamp), the image's
bytes and whether the weights were random, so that it is never that of another. What was not asked for longest goes
first. A damaged file counts as none. Loads no TensorFlow.
"""

import contextlib
import hashlib
import io
import zipfile
from collections.abc import Hashable
from pathlib import Path

import numpy as np

from cxr_core.atomic import write_bytes
from cxr_core.models.activation_maps import ActivationMaps
from cxr_core.settings import settings
from cxr_core.storage import CACHE_FOLDER

#: Part of each name: maps that are computed in another way have other names.
_WAY = "grad-cam 1"


def kept_path(model: Path, stamp: Hashable, jpg: bytes, random: bool) -> Path:
    """Return where the maps of an image by a model are kept."""
    told = f"{_WAY} {model} {stamp} {random} {hashlib.sha256(jpg).hexdigest()}"
    return _folder() / f"{hashlib.sha256(told.encode()).hexdigest()[:32]}.npz"


def read_maps(path: Path) -> ActivationMaps | None:
    """Return kept maps, None where there are none or the file is damaged."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            maps = ActivationMaps.from_arrays(arrays)
        path.touch()
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None
    return maps


def keep_maps(path: Path, maps: ActivationMaps) -> None:
    """Keep maps, and let go of the oldest until all together take no more than the setting `kept_maps` allows."""
    content = io.BytesIO()
    np.savez(content, maps=maps.maps, shares=maps.shares, logits=maps.logits)
    write_bytes(path, content.getvalue())
    _let_go(settings().kept_maps)


def _let_go(most_bytes: int) -> None:
    found = []
    for path in _folder().glob("*.npz"):
        with contextlib.suppress(OSError):
            status = path.stat()
            found.append((status.st_mtime_ns, status.st_size, path))
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= most_bytes:
            return
        path.unlink(missing_ok=True)
        total -= size


def _folder() -> Path:
    return settings().home / CACHE_FOLDER / "maps"
