"""Files that somebody uploaded for an import: where they lie until its run has read them, and how they go."""

import shutil
import time
from collections.abc import Collection, Sequence
from pathlib import Path, PurePosixPath

from cxr_core.atomic import disk_errors
from cxr_core.errors import UsageError
from cxr_core.settings import settings
from cxr_core.workspace import make_folder

#: A file by its path on this machine, or as (name, content) where it was uploaded.
File = Path | tuple[str, bytes]
_FOLDER = "uploads"
_OLD_SECONDS = 3600.0


def placed(files: Sequence[File], folder: Path) -> list[Path]:
    """Return where files lie that a process can read; those that were uploaded are written below `folder`.

    Raises:
        CxrError: the disk is full.
    """
    paths = []
    for number, file in enumerate(files):
        if isinstance(file, tuple):
            name, content = file
            path = folder / str(number) / _own_name(name)
            with disk_errors(folder):
                make_folder(path.parent)
                path.write_bytes(content)
        paths.append(path if isinstance(file, tuple) else file.absolute())
    return paths


def folder_of(run_id: str) -> Path:
    """Return the folder of what was uploaded for a run."""
    return settings().home / _FOLDER / run_id


def remove(run_id: str) -> None:
    """Remove what was uploaded for a run."""
    shutil.rmtree(folder_of(run_id), ignore_errors=True)


def hand_over(files: Sequence[Path], former: str, run_id: str) -> list[Path]:
    """Give what was uploaded for a run to another one and return where the files lie then; others stay where they are.

    Raises:
        UsageError: it is gone.
    """
    own = [file.is_relative_to(folder_of(former)) for file in files]
    if not any(own):
        return list(files)
    try:
        folder_of(former).rename(folder_of(run_id))
    except OSError as error:
        raise UsageError("The uploaded files are not there any more. Choose them again.") from error
    places = zip(files, own, strict=True)
    return [folder_of(run_id) / file.relative_to(folder_of(former)) if mine else file for file, mine in places]


def sweep(working: Collection[str]) -> None:
    """Remove what was left by imports that were killed or asked in vain; one just being started has no run yet."""
    folders = list(folder_of("").iterdir()) if folder_of("").is_dir() else []
    for folder in folders:
        if folder.name not in working and time.time() - folder.stat().st_mtime > _OLD_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _own_name(name: str) -> str:
    """Return the name of an upload, which tells data set and kind of file, without any folder in it."""
    last = PurePosixPath(name.replace("\\", "/").replace("\0", "")).name
    return last[-200:] if last not in ("", ".", "..") else "upload"
