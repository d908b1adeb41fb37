"""The image files in a folder or a tar, and which label row each belongs to.

A tar is read in place, never unpacked: a member is found again by its position. Links and devices are passed over.
"""

import os
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cxr_core.errors import DataError, UsageError

ENDINGS: tuple[str, ...] = (".jpg", ".jpeg", ".png", ".dcm", ".dicom")
_AMBIGUOUS = -1


@dataclass(frozen=True)
class ImageFile:
    """An image: its `name` below the folder or inside the tar, and for a tar its `offset` and `size` in bytes."""

    name: str
    offset: int = -1
    size: int = -1


def image_files(place: Path) -> list[ImageFile]:
    """Return the images in a folder or an uncompressed tar, sorted by name.

    Raises:
        UsageError: `place` is neither, or holds no image.
    """
    if place.is_dir():
        found = [ImageFile(name) for name in _below(place)]
    elif place.is_file():
        found = list(_in_tar(place))
    else:
        raise UsageError(f"{place} must be a folder or a tar of images. There is nothing of that name.")
    if not found:
        raise UsageError(f"{place} has no image files ({', '.join(ENDINGS)}).")
    return sorted(found, key=lambda image: image.name)


def read_image(place: Path, image: ImageFile) -> bytes:
    """Return the content of an image file."""
    try:
        if image.offset < 0:
            return (place / image.name).read_bytes()
        with place.open("rb") as file:
            file.seek(image.offset)
            return file.read(image.size)
    except OSError as error:
        raise DataError(f"it cannot be read ({error.strerror})") from error


def match_labels(names: Iterable[str], paths: Sequence[str]) -> list[int | None]:
    """Return for each file name the number of the label path that it is, None where there is none or no single one.

    They match when one ends with the other, whole path components and without the ending: the image may have been
    converted, and the folder that was given may lie above or below the one that the labels know.
    """
    by_tail: dict[tuple[str, ...], int] = {}
    for number, path in enumerate(paths):
        parts = _components(path)
        for start in range(len(parts)):
            tail = parts[start:]
            by_tail[tail] = number if by_tail.get(tail, number) == number else _AMBIGUOUS
    return [_match(_components(name), by_tail) for name in names]


def _match(parts: tuple[str, ...], by_tail: dict[tuple[str, ...], int]) -> int | None:
    for start in range(len(parts)):
        number = by_tail.get(parts[start:])
        if number is not None:
            return None if number == _AMBIGUOUS else number
    return None


def _components(path: str) -> tuple[str, ...]:
    return PurePosixPath(path).with_suffix("").parts


def _below(folder: Path) -> Iterator[str]:
    for where, folders, files in os.walk(folder):
        folders.sort()
        for name in files:
            if name.lower().endswith(ENDINGS) and not name.startswith("."):
                yield str(PurePosixPath(Path(where, name).relative_to(folder)))


def _in_tar(path: Path) -> Iterator[ImageFile]:
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                name = member.name.removeprefix("./")
                if member.isfile() and not member.issparse() and name.lower().endswith(ENDINGS):
                    yield ImageFile(name, member.offset_data, member.size)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise UsageError(f"{path} must be a folder or an uncompressed tar of images. Unpack it first.") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
