"""Features of images that are kept: what a model makes of each before its last layer, on disk and read in place.

They lie in the source's part of the workspace, one folder a model and records, with the keys of their images and the
scores of heads that were trained on them. The folder's name tells the model's file and the records by their content
or version: when either changes, the features are made anew, and those before are removed.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxr_core.atomic import disk_errors, write_bytes
from cxr_core.errors import DataError
from cxr_core.locations import is_remote
from cxr_core.sources.source import Source
from cxr_core.stamps import Stamp, file_stamp
from cxr_core.storage import version
from cxr_core.workspace import make_folder

_FEATURES, _IMAGES, _ABOUT = "features.npy", "images.parquet", "about.json"
_LARGEST_HALF = float(np.finfo(np.float16).max)
_BYTES_AT_ONCE = 1 << 20


@dataclass(frozen=True, eq=False)
class KeptFeatures:
    """Features (images, size) on disk, the key columns of their images in the same order, and what is told of them."""

    folder: Path
    features: npt.NDArray[np.floating]
    images: pd.DataFrame
    about: dict[str, Any]

    @property
    def size(self) -> int:
        """How many numbers an image has."""
        return int(self.features.shape[1])


def features_folder(source: Source, model: str, made_by: str, files: Sequence[str]) -> Path:
    """Return where the features of these files lie, once they are there.

    Args:
        source: whose features.
        model: what they are called after.
        made_by: what else they depend on: `content` of a model, or what tells the images of embeddings.
        files: the records, or the files of embeddings.
    """
    told = hashlib.sha256(made_by.encode())
    for file in sorted(files):
        told.update(f"{Path(file).name} {_version(file)}\n".encode())
    return _all_features(source) / f"{model}-{told.hexdigest()[:8]}"


def content(file: Path) -> str:
    """Return a digest of what is in a file, read again only when its stamp is another."""
    return _content(file, file_stamp(file))


def kept_features(folder: Path) -> KeptFeatures | None:
    """Return the features of a folder, mapped into memory; None where there are none."""
    if not (folder / _ABOUT).is_file():
        return None
    features = np.load(folder / _FEATURES, mmap_mode="r", allow_pickle=False)
    images = pd.read_parquet(folder / _IMAGES)
    if len(features) != len(images):
        raise DataError(f"The features in {folder} are damaged. Delete the folder, and try the policies again.")
    return KeptFeatures(folder, features, images, json.loads((folder / _ABOUT).read_text()))


def keep_features(
    folder: Path, features: npt.NDArray[np.floating], images: pd.DataFrame, about: dict[str, Any]
) -> None:
    """Keep features, as 16-bit floats where they fit, and remove former ones of the same model.

    Raises:
        DataError: a feature is not finite.
        CxrError: the disk is full, or the folder may not be written.
    """
    largest = float(np.abs(features).max(initial=0.0))
    if not np.isfinite(largest):
        raise DataError(f"The model {about['model']} makes features that are not finite. Train it again.")
    with disk_errors(folder):
        make_folder(folder.parent)
        made = Path(tempfile.mkdtemp(prefix=".features.", suffix=".tmp", dir=folder.parent))
        try:
            np.save(made / _FEATURES, features.astype(np.float16 if largest < _LARGEST_HALF else np.float32))
            images.to_parquet(made / _IMAGES, index=False)
            (made / _ABOUT).write_text(json.dumps(about, indent=2) + "\n")
            shutil.rmtree(folder, ignore_errors=True)
            made.replace(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    for former in folder.parent.glob(f"{folder.name[:-8]}????????"):
        if former != folder:
            shutil.rmtree(former, ignore_errors=True)


def keep_scores(folder: Path, name: str, scores: npt.NDArray[np.float32], about: dict[str, Any]) -> None:
    """Keep scores of heads beside the features, under a name that tells what they were trained on."""
    with tempfile.TemporaryFile() as file:
        np.save(file, scores)
        file.seek(0)
        content = file.read()
    write_bytes(folder / f"{name}.npy", content)
    write_bytes(folder / f"{name}.json", json.dumps(about, indent=2).encode())


def kept_scores(folder: Path, name: str) -> tuple[npt.NDArray[np.float32], dict[str, Any]] | None:
    """Return scores by their name, mapped into memory, and what is told of them; None where there are none."""
    if not (folder / f"{name}.json").is_file():
        return None
    scores = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
    return scores, json.loads((folder / f"{name}.json").read_text())


def _all_features(source: Source) -> Path:
    return source.folder / "features"


@lru_cache(maxsize=256)
def _content(file: Path, _stamp: Stamp) -> str:
    told = hashlib.sha256()
    with file.open("rb") as opened:
        while part := opened.read(_BYTES_AT_ONCE):
            told.update(part)
    return told.hexdigest()


def _version(file: str) -> str:
    if is_remote(file):
        return version(file)
    status = Path(file).stat()
    return f"{status.st_size} {status.st_mtime_ns}"
