"""What travels with a run: to its place before it starts, and back when it has ended.

`Goods` say what the work needs of the workspace besides the run's own folder. Back comes what lies in that folder, and
the models and prediction tables that the work has written for its source. Nothing here is lost by it: a file that was
taken along is replaced only while it still is what was taken.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cxr_core.atomic import disk_errors, replacing, write_text
from cxr_core.errors import ExistsError
from cxr_core.runs.kept_row import ROW_FILE
from cxr_core.runs.log import LOG_FILE
from cxr_core.runs.places.definition import MIRROR, MIRROR_NOTES
from cxr_core.runs.places.job_folder import JobFolder
from cxr_core.workspace import make_private_folder

GOODS_FILE, SHIPPED_FILE = "goods.json", "shipped.json"
#: What of the folder of a run is of this machine alone.
_STAYS = {LOG_FILE, ROW_FILE, GOODS_FILE, SHIPPED_FILE, "job-log.json", "handed-over", MIRROR, MIRROR_NOTES}
#: What the work writes of a source, by the folders below the source's own.
_WRITTEN = ("models", "predictions")


def _quiet() -> None:
    """Give no sign of life: for whoever is not waited for."""


@dataclass(frozen=True)
class Goods:
    """Files and texts that the work needs, by their paths below the workspace there.

    Attributes:
        files: path there -> path of the file here.
        texts: path there -> content.
    """

    files: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def keep(self, folder: Path) -> None:
        """Write them down in the folder of a run."""
        write_text(folder / GOODS_FILE, json.dumps(asdict(self), indent=2) + "\n")

    @staticmethod
    def kept(folder: Path) -> "Goods":
        """Return what was written down in the folder of a run."""
        try:
            return Goods(**json.loads((folder / GOODS_FILE).read_text()))
        except (OSError, ValueError, TypeError):
            return Goods()


def ship(job: JobFolder, folder: Path, beat: Callable[[], None] = _quiet) -> None:
    """Bring the folder of a run, and its goods, to its place; what a former leg left there is newer and stays.

    `beat` is called between the parts of large files.

    Raises:
        OSError: the shared disk cannot be written.
        CxrError: it is full, or may not be written.
    """
    order, there = job.order(), job.run_folder(job.job.run)
    if order is None or order["leg"] != job.job.leg - 1:
        # Of a leg before which the run was elsewhere: older than what is here.
        shutil.rmtree(job.path, ignore_errors=True)
    with disk_errors(job.path):
        make_private_folder(job.path)
    job.job.log.unlink(missing_ok=True)
    for file in files_below(folder):
        if file.relative_to(folder).parts[0] not in _STAYS and not (there / file.relative_to(folder)).exists():
            copy(file, there / file.relative_to(folder), beat)
    goods = Goods.kept(folder)
    for place, source in goods.files.items():
        copy(Path(source), job.path / place, beat)
    shipped = {place: _digest(job.path / place, beat) for place in goods.files}
    write_text(folder / SHIPPED_FILE, json.dumps(shipped, indent=2) + "\n")
    for place, text in goods.texts.items():
        write_text(job.path / place, text)


def fetch(job: JobFolder, folder: Path, home: Path, source: str, beat: Callable[[], None] = _quiet) -> None:
    """Bring back what a run left at its place: its folder, and the models and predictions of its source.

    Args:
        job: the folder at the place.
        folder: that of the run here.
        home: the workspace here.
        source: the name of the source that the run works on.
        beat: called between the parts of large files.

    Raises:
        ExistsError: something else of that name came into being here meanwhile, or changed what was taken along.
        OSError: a disk cannot be read or written.
    """
    there = job.run_folder(job.job.run)
    for file in files_below(there) if job.holds(there) else ():
        if file.relative_to(there).parts[0] not in _STAYS:
            copy(file, folder / file.relative_to(there), beat)
    came_along = _shipped(folder)
    for part in _WRITTEN:
        written = job.path / "sources" / source / part
        for file in files_below(written) if job.holds(written) else ():
            place = file.relative_to(job.path).as_posix()
            _bring_home(file, home / place, came_along.get(place), beat)


def brought_home(result: dict[str, object], job: JobFolder, home: Path) -> dict[str, object]:
    """Return a result whose paths are those of this workspace; one that leads out of it stays that of the place."""
    there, here = f"{job.path_there}/", f"{home}/"

    def brought(value: object) -> object:
        is_below = isinstance(value, str) and value.startswith(there) and ".." not in value.split("/")
        return here + str(value).removeprefix(there) if is_below else value

    return {name: brought(value) for name, value in result.items()}


def _bring_home(file: Path, target: Path, came_along: str | None, beat: Callable[[], None]) -> None:
    """Copy a file that the work wrote to where it belongs here; `came_along` is the digest of what was taken along."""
    written = _digest(file, beat)
    here = _digest(target, beat) if target.exists() else None
    if written in (came_along, here):
        return
    if here not in (None, came_along):
        raise ExistsError(
            f"{target} was made or changed by something else meanwhile; what the run wrote stays in {file}. "
            "Move it, then resume the run or start it again."
        )
    copy(file, target, beat)


def _shipped(folder: Path) -> dict[str, str]:
    """Return the digests of the files that were taken along, by their paths at the place."""
    try:
        return dict(json.loads((folder / SHIPPED_FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return {}


def mirror(there: Path, here: Path) -> None:
    """Make `here` what `there` is by the bytes that were added; a file that was cut, as by a resume, is copied anew.

    Two processes that do it at once write the same bytes to the same places: no row is lost or doubled.
    """
    if not there.is_file():
        return
    with there.open("rb") as source, here.open("r+b" if here.exists() else "w+b") as target:
        size, has = os.fstat(source.fileno()).st_size, os.fstat(target.fileno()).st_size
        seam = min(_SEAM_BYTES, has)
        if size >= has and os.pread(source.fileno(), seam, has - seam) == os.pread(target.fileno(), seam, has - seam):
            while has < size and (part := os.pread(source.fileno(), min(_PART_BYTES, size - has), has)):
                has += os.pwrite(target.fileno(), part, has)
            return
    copy(there, here)


#: The bytes before the end that are compared: each metric row has its time in it.
_SEAM_BYTES = 512
_PART_BYTES = 4 * 1024 * 1024


def copy(source: Path, target: Path, beat: Callable[[], None] = _quiet) -> None:
    """Copy a file so that a reader of the target sees the old content or the new one."""
    with replacing(target) as temporary, temporary.open("wb") as new:
        for part in _parts(source, beat):
            new.write(part)


def _digest(file: Path, beat: Callable[[], None]) -> str:
    """Return the SHA-256 of a file."""
    found = hashlib.sha256()
    for part in _parts(file, beat):
        found.update(part)
    return found.hexdigest()


def _parts(file: Path, beat: Callable[[], None]) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while part := opened.read(_PART_BYTES):
            yield part
            beat()


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder but for those that are half written; no link leads out of it."""
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not (Path(parent) / name).is_symlink()]
        paths = (Path(parent) / name for name in sorted(names) if not name.endswith(".tmp"))
        yield from (path for path in paths if path.is_file() and not path.is_symlink())
