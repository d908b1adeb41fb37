"""What a file holds once it is unpacked, part by part: gzip, xz, a file of a zip archive, or the file as it is.

How a file is packed is seen from its first bytes, not from its name.
"""

import lzma
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from cxr_core.errors import Choice, TableError, UndecidedError
from cxr_core.words import counted

_CHUNK = 1 << 20
_GZIP, _XZ, _ZIPS = b"\x1f\x8b", b"\xfd7zXZ\0", (b"PK\x03\x04", b"PK\x05\x06")


def packing(path: Path) -> str:
    """Return gzip, xz, zip or "" for a file that is none of them."""
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(_ZIPS):
        return "zip"
    return "gzip" if start.startswith(_GZIP) else "xz" if start.startswith(_XZ) else ""


def members(path: Path) -> list[str]:
    """Return the names of the files in a zip archive; those that a Mac adds are no content."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [item.filename for item in archive.infolist() if not item.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise TableError(f"{path.name} is no zip archive that can be read ({error}). Copy it anew.") from error
    return [name for name in names if not name.startswith("__MACOSX/") and not Path(name).name.startswith(".")]


def one_member(path: Path, member: str | None) -> str:
    """Return which file of a zip archive is the table: the one that is named, or the only one.

    Raises:
        TableError: it has no such file, or none.
        UndecidedError: it has several, and none is named.
    """
    names = members(path)
    if not names:
        raise TableError(f"{path.name} is an archive without a file. Nothing was imported.")
    if member is None and len(names) > 1:
        choices = [Choice(name, f"--answer file.member={name}", {"file.member": name}) for name in names]
        raise UndecidedError("member", f"{path.name} holds {counted(len(names), 'file')}; which is the table?", choices)
    if member is not None and member not in names:
        raise TableError(f"{path.name} has no file {member[:80]!r} in it. It has: {', '.join(names)[:200]}.")
    return member or names[0]


def chunks(path: Path, member: str | None = None) -> Iterator[bytes]:
    """Yield what a file holds, unpacked; `member` names the file of a zip archive that has several.

    Raises:
        TableError: the file is cut off or damaged.
        UndecidedError: a zip archive holds several files.
    """
    kind = packing(path)
    if kind == "zip":
        yield from _of_zip(path, one_member(path, member))
    elif kind == "gzip":
        yield from _of_gzip(path)
    elif kind == "xz":
        yield from _of_xz(path)
    else:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk


def _of_gzip(path: Path) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield from _unpack(chunk, unpacker)
    except zlib.error as error:
        raise TableError(f"{path.name} is no gzip file, or is damaged. Copy it anew.") from error
    if not unpacker.eof:
        raise TableError(f"{path.name} is cut off: the gzip stream has no end. Copy it anew.")
    if unpacker.unused_data.strip(b"\0"):
        raise TableError(f"{path.name} must be one gzip stream, something follows its end. Pack the table anew.")


def _unpack(chunk: bytes, unpacker: "zlib._Decompress") -> Iterator[bytes]:
    while chunk and not unpacker.eof:
        if part := unpacker.decompress(chunk, _CHUNK):
            yield part
        chunk = unpacker.unconsumed_tail


def _of_xz(path: Path) -> Iterator[bytes]:
    try:
        with lzma.open(path) as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except (lzma.LZMAError, EOFError) as error:
        raise TableError(f"{path.name} is no whole xz file, or is damaged. Copy it anew.") from error


def _of_zip(path: Path, member: str) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(path) as archive, archive.open(member) as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except RuntimeError as error:  # the archive is encrypted
        raise TableError(f"{path.name} cannot be unpacked: {error}. Unpack it first.") from error
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError) as error:
        raise TableError(f"{path.name} is no zip archive that can be read ({error}). Copy it anew.") from error
