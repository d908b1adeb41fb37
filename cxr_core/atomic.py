"""Writing files so that a reader sees the old content or the new one, never half of either."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cxr_core.errors import CxrError
from cxr_core.workspace import make_folder, mode_of_files

#: Set in the process of a run to its ID, which its temporary files carry: they are found when it was killed.
RUN_VARIABLE = "CXR_RUN"


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a full disk or a missing permission under `path` into one clear `CxrError`."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise CxrError(f"The disk is full: {path} could not be written. Free some space and try again.") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise CxrError(
                f"{path} cannot be written: permission denied. Choose a folder that you may write to."
            ) from error
        raise


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a unique temporary path beside `path`; on success it is synced and takes the place of `path`.

    The name is unique because two processes may write the same file at once; the folder is synced because a rename
    is only durable then. On any error the temporary file is removed and `path` stays as it was.
    """
    with disk_errors(path):
        make_folder(path.parent)
        prefix = f".{path.name}.{os.environ.get(RUN_VARIABLE, '')}"
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=".tmp", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(mode_of_files(path.parent, 0o666 & ~_umask()))
            sync(temporary)
            temporary.replace(path)
            sync(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def drop_leftovers(folder: Path, start: str) -> None:
    """Remove temporary files of files whose names begin with `start`, left by a process that was killed as it wrote.

    Only for files that no other process can be writing now.
    """
    for path in folder.glob(f".{start}*.tmp"):
        path.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Replace the content of `path` atomically."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Replace the content of `path` atomically, as UTF-8."""
    write_bytes(path, content.encode())


def sync(path: Path) -> None:
    """Force a file or a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
