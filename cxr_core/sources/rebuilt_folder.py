"""A folder that is built beside its place and takes it when all is done: nobody sees it half written."""

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from cxr_core.atomic import sync
from cxr_core.workspace import make_folder


@contextlib.contextmanager
def only_builder(folder: Path) -> Iterator[None]:
    """Wait until no other process builds the same folder; the lock goes with the process."""
    make_folder(folder.parent)
    with (folder.parent / f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def replacement(folder: Path, kept: Sequence[str]) -> Iterator[Path]:
    """Yield a folder beside `folder` that takes its place on success and vanishes on failure.

    What only `folder` has in its folders `kept` stays.
    """
    prefix = f".{folder.name}.building-"
    for leftover in folder.parent.glob(prefix + "*"):
        shutil.rmtree(leftover)
    building = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
    try:
        building.chmod(0o755)
        yield building
        _take_place(building, folder, kept)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _take_place(building: Path, folder: Path, kept: Sequence[str]) -> None:
    """Put `building` where `folder` is, and keep what only `folder` has in the folders `kept`."""
    if folder.exists():
        for name in kept:
            for file in (folder / name).glob("*"):
                if not (building / name / file.name).exists():
                    (building / name).mkdir(exist_ok=True)
                    shutil.copy2(file, building / name / file.name)
        former = Path(tempfile.mkdtemp(prefix=building.name, dir=folder.parent))
        folder.rename(former / folder.name)
        building.rename(folder)
        shutil.rmtree(former)
    else:
        building.rename(folder)
    sync(folder.parent)
