"""What travels with a run: to its place before it starts, and back when it has ended.

`Goods` say what the work needs of the workspace besides the run's own folder. Back comes what lies in that folder, and
what the work has written below `sources/`.
"""

import filecmp
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cxr_core.atomic import replacing, write_text
from cxr_core.errors import ExistsError
from cxr_core.runs.kept_row import ROW_FILE
from cxr_core.runs.log import LOG_FILE
from cxr_core.runs.places.job_folder import JobFolder

GOODS_FILE = "goods.json"
#: What of the folder of a run is of this machine alone.
_STAYS = {LOG_FILE, ROW_FILE, GOODS_FILE, "job-log.json", "handed-over"}


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


def ship(job: JobFolder, folder: Path) -> None:
    """Bring the folder of a run, and its goods, to its place; what a former leg left there is newer and stays.

    Raises:
        OSError: the shared disk cannot be written.
        CxrError: it is full, or may not be written.
    """
    order, there = job.order(), job.run_folder(job.job.run)
    if order is None or order["leg"] != job.job.leg - 1:
        shutil.rmtree(
            job.path, ignore_errors=True
        )  # of a leg before which the run was elsewhere: older than what is here
    job.job.log.unlink(missing_ok=True)
    for file in _files(folder):
        if file.relative_to(folder).parts[0] not in _STAYS and not (there / file.relative_to(folder)).exists():
            copy(file, there / file.relative_to(folder))
    goods = Goods.kept(folder)
    for place, source in goods.files.items():
        copy(Path(source), job.path / place)
    for place, text in goods.texts.items():
        write_text(job.path / place, text)


def fetch(job: JobFolder, folder: Path, home: Path) -> None:
    """Bring back what a run left at its place: its folder, and what it wrote below `sources/`.

    Raises:
        ExistsError: something else of that name came into being here meanwhile.
        OSError: a disk cannot be read or written.
    """
    there = job.run_folder(job.job.run)
    for file in _files(there):
        if file.relative_to(there).parts[0] not in _STAYS:
            copy(file, folder / file.relative_to(there))
    goods = Goods.kept(folder)
    for file in _files(job.path / "sources"):
        place = str(file.relative_to(job.path))
        if place in goods.texts or _is_same(file, goods.files.get(place)):
            continue
        target = home / place
        if target.exists() and place not in goods.files and not _is_same(file, str(target)):
            raise ExistsError(f"{target} was made by something else meanwhile. Move it, then resume the run.")
        copy(file, target)


def mirror(there: Path, here: Path) -> None:
    """Make `here` what `there` is by the bytes that were added; a file that was cut, as by a resume, is copied anew.

    Two processes that do it at once write the same bytes to the same places: no row is lost or doubled.
    """
    if not there.exists():
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


def copy(source: Path, target: Path) -> None:
    """Copy a file so that a reader of the target sees the old content or the new one."""
    with replacing(target) as temporary:
        shutil.copyfile(source, temporary)


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder but for those that are half written; no link leads out of it."""
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not (Path(parent) / name).is_symlink()]
        paths = (Path(parent) / name for name in sorted(names))
        yield from (path for path in paths if not path.is_symlink() and not path.name.endswith(".tmp"))


def _is_same(file: Path, other: str | None) -> bool:
    return other is not None and Path(other).exists() and filecmp.cmp(file, other, shallow=False)
