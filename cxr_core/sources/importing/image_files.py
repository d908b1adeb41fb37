"""The image files in a folder or a tar.

A tar is read in place, never unpacked: a member is found again by its position. Links and devices are passed over.
"""

import os
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cxr_core.errors import DataError, UsageError
from cxr_core.sources.importing.dicom_pictures import is_dicom

ENDINGS: tuple[str, ...] = (".jpg", ".jpeg", ".png", ".dcm", ".dicom", ".tif", ".tiff", ".jp2", ".bmp")
#: How the files begin that are images though their name does not say so, as a PACS writes them.
_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG", b"II*\0", b"MM\0*", b"\0\0\0\x0cjP")
_LOOKED_AT = 132
_NO_ENDING = re.compile(r"[^.]+|[0-9.]+")


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


def _below(folder: Path) -> Iterator[str]:
    for where, folders, files in os.walk(folder):
        folders.sort()
        for name in files:
            if not name.startswith(".") and (name.lower().endswith(ENDINGS) or _is_image(Path(where, name))):
                yield str(PurePosixPath(Path(where, name).relative_to(folder)))


def _in_tar(path: Path) -> Iterator[ImageFile]:
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                name = member.name.removeprefix("./")
                if not member.isfile() or member.issparse():
                    continue
                if name.lower().endswith(ENDINGS) or _is_image_in(archive, member):
                    yield ImageFile(name, member.offset_data, member.size)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise UsageError(f"{path} must be a folder or an uncompressed tar of images. Unpack it first.") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error


def _is_image(path: Path) -> bool:
    """Say whether a file whose name has no ending begins like an image."""
    if not _NO_ENDING.fullmatch(path.name):
        return False
    try:
        with path.open("rb") as file:
            return _begins_like_image(file.read(_LOOKED_AT))
    except OSError:
        return False


def _is_image_in(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bool:
    if not _NO_ENDING.fullmatch(PurePosixPath(member.name).name):
        return False
    file = archive.extractfile(member)
    return file is not None and _begins_like_image(file.read(_LOOKED_AT))


def _begins_like_image(start: bytes) -> bool:
    return start.startswith(_BEGINNINGS) or is_dicom(start)
