"""Finding files by a pattern with `*`, `?`, `[…]` and `**`, in folders whose own names may have these characters.

The standard library's `glob` cannot be stopped: `**` over a whole disk without a match comes back hours later. This
look keeps count of what it sees, so that one that a page asked for ends.
"""

import contextlib
import fnmatch
import glob
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cxr_core.errors import UsageError, brief

_SEVERAL_FOLDERS = "**"
#: The clock is read, and whoever asked is asked whether he still waits, after so many entries.
_ENTRIES_BETWEEN_LOOKS = 256


def nobody_leaves() -> None:
    """Go on whatever happens: what a command does for a person who waits for it."""


@dataclass(frozen=True)
class Limits:
    """How far a look goes that a page asked for.

    It stays `below` these folders, also where a link leads out of them, finds nothing in those that are `closed`, and
    sees at most so many entries of folders and `seconds`. `going_on` is called now and then, and raises when nobody
    waits for the answer any more.
    """

    below: tuple[str, ...]
    closed: tuple[str, ...] = ()
    entries: int = 100_000
    seconds: float = 5.0
    going_on: Callable[[], object] = nobody_leaves


def files_matching(pattern: str, limits: Limits | None = None) -> list[str]:
    """Return the files that match, sorted by name.

    A part of the path that exists as it is written stands for itself: a workspace in `study [2019]/` is found, though
    its name also reads as a pattern. As in a shell, names that begin with a dot match only a part that does so too.

    Args:
        pattern: an absolute path or one from the working directory; `**` stands for any number of folders.
        limits: how far the look goes; None for as far as it takes.

    Raises:
        UsageError: the limits were reached before everything was seen.
    """
    found = {str(name) for name in _matches(Path(pattern), _Look(pattern, limits))}
    closed = limits.closed if limits else ()
    return sorted(file for file in found if os.path.isfile(file) and not lies_in_any(file, closed))  # noqa: PTH113


def has_wildcards(pattern: str) -> bool:
    """Say whether a name stands for any number of files rather than for the one of that name."""
    return glob.has_magic(pattern) and not os.path.exists(pattern)  # noqa: PTH110 - False also for an illegal name


def is_below(place: str, folder: str) -> bool:
    """Say whether a path without `..` lies in a folder, all links followed; what cannot be followed lies nowhere.

    A path that does not even read as if it did is not looked at: nobody learns by it what there is.
    """
    if ".." in Path(place).parts or not Path(place).is_relative_to(folder):
        return False
    try:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            Path(place).lstat()
        return Path(place).resolve().is_relative_to(Path(folder).resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links, too long a name, a name with a zero byte
        return False


def lies_in_any(place: str, folders: tuple[str, ...]) -> bool:
    """Say whether a place is one of these or lies in one, as it is written or with all links followed."""
    if not folders:
        return False
    try:
        followed = Path(place).resolve()
    except (OSError, RuntimeError, ValueError):
        return True
    return any(
        Path(place).is_relative_to(folder) or followed.is_relative_to(Path(folder).resolve()) for folder in folders
    )


class _Look:
    """One look: what was seen of the folders so far, and whether it may go on."""

    def __init__(self, pattern: str, limits: Limits | None) -> None:
        self._pattern = pattern
        self._limits = limits
        self._seen = 0
        self._start = time.monotonic()

    def entries(self, folder: Path) -> Iterator[os.DirEntry[str]]:
        """Yield what is in a folder, nothing where that cannot be read or no look is allowed to."""
        try:
            with os.scandir(folder) as found:
                for entry in found:
                    self._count()
                    if not entry.is_symlink() or self.may_follow(folder / entry.name):
                        yield entry
        except OSError:
            return

    def may_follow(self, path: Path) -> bool:
        """Say whether the look stays where it may when it goes to `path`, which may be a link."""
        if self._limits is None or not os.path.islink(path):  # noqa: PTH114 - False also for an illegal name
            return True
        return any(is_below(str(path), folder) for folder in self._limits.below)

    def _count(self) -> None:
        self._seen += 1
        if self._limits is None or self._seen % _ENTRIES_BETWEEN_LOOKS:
            return
        self._limits.going_on()
        if self._seen > self._limits.entries or time.monotonic() - self._start > self._limits.seconds:
            raise UsageError(
                f"A pattern must be found among {self._limits.entries:,} files and within {self._limits.seconds:g} s. "
                f"Received: {brief(self._pattern)}, which asks for more. Name the folders more exactly."
            )


def _matches(pattern: Path, look: _Look) -> Iterator[Path]:
    """Yield what matches, some of it perhaps twice, and perhaps a name that does not exist."""
    start, parts = Path(pattern.anchor), _parts(pattern)
    waiting, known = [(start, 0)], {(start, 0)}
    while waiting:
        folder, place = waiting.pop()
        if place == len(parts):
            yield folder
            continue
        for further in _steps(folder, parts[place], place, look):
            if further not in known:
                known.add(further)
                waiting.append(further)


def _steps(folder: Path, part: tuple[str, bool], place: int, look: _Look) -> Iterator[tuple[Path, int]]:
    """Yield where one part of the pattern leads to from a folder, and which part is the next there."""
    name, is_wild = part
    if not is_wild:
        if look.may_follow(folder / name):
            yield folder / name, place + 1
        return
    if name == _SEVERAL_FOLDERS:
        yield folder, place + 1
    for entry in look.entries(folder):
        if entry.name.startswith(".") and not name.startswith("."):
            continue
        if name != _SEVERAL_FOLDERS:
            if fnmatch.fnmatchcase(entry.name, name):
                yield folder / entry.name, place + 1
        elif _is_folder(entry):
            yield folder / entry.name, place
        else:
            yield folder / entry.name, place + 1


def _parts(pattern: Path) -> list[tuple[str, bool]]:
    """Return the parts below the root, each with whether it is a pattern; one that exists as it is written is none."""
    written = Path(pattern.anchor)
    parts = []
    for name in pattern.parts[1 if pattern.anchor else 0 :]:
        written = written / name
        parts.append((name, has_wildcards(str(written)) and glob.has_magic(name)))
    return parts


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
