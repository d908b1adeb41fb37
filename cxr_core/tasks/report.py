"""A pack on the disk: its files in a folder of their own, all of them or none."""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cxr_core
from cxr_core.atomic import disk_errors
from cxr_core.errors import ExistsError, UsageError, brief
from cxr_core.locations import is_remote
from cxr_core.pack.files import DOCUMENT, pack_files
from cxr_core.schema import REPORT
from cxr_core.tasks.named_model import absolute
from cxr_core.tasks.pack_document import pack_document


@dataclass(frozen=True)
class WrittenPack:
    """Where a pack was written, and its files within the folder; `remark` is what its reader should know."""

    folder: str
    files: tuple[str, ...]
    remark: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return what `report --json` prints."""
        return {"folder": self.folder, "files": list(self.files)}


def write_report(
    source_name: str,
    models: Sequence[str],
    to: str,
    dataset: str = "valid",
    view: str | None = None,
    judge: str = REPORT,
    cards: Sequence[str] = (),
    replace: bool = False,
    by: Sequence[str] = (),
) -> WrittenPack:
    """Write the pack of models into a folder; raises what `pack_document` raises, and as `rewrite_report`."""
    folder = _checked_folder(to, replace)
    return _written(folder, pack_files(pack_document(source_name, models, dataset, view, judge, cards, by)))


def rewrite_report(file: str, to: str, replace: bool = False) -> WrittenPack:
    """Write the pack that a document describes: of the same version of CXR Lab, byte for byte the one it is from.

    Raises:
        UsageError: the file is not there or no document of a pack, or the folder is not of this machine.
        ExistsError: the folder exists, and is no pack or was not to be replaced.
    """
    folder, document = _checked_folder(to, replace), _read(file)
    made = pack_files(document)
    by, here = document.get("made_by"), f"CXR Lab {cxr_core.__version__}"
    remark = (
        "" if by == here else f"The document was made by {brief(str(by))}, this is {here}: its pack may look different."
    )
    return _written(folder, made, remark)


def _read(file: str) -> Mapping[str, Any]:
    path = Path(absolute(file))
    if is_remote(file) or not path.is_file():
        raise UsageError(f"{brief(file)} is no file of this machine. Name the pack.json of a pack.")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{path} is no document of a pack: {brief(str(error))}. Name the pack.json of a pack."
        ) from error
    if not isinstance(document, dict):
        raise UsageError(f"{path} is no document of a pack. Name the pack.json of a pack.")
    return document


def _checked_folder(to: str, replace: bool) -> Path:
    if is_remote(to):
        raise UsageError(f"A pack goes to a folder of this machine. Received: {brief(to)}.")
    folder = Path(absolute(to))
    if folder.is_dir() and not any(folder.iterdir()):
        return folder
    if folder.is_dir() and not (folder / DOCUMENT).is_file():
        raise ExistsError(f"{folder} exists and is no pack, so it is not replaced. Name another folder.")
    if folder.is_dir() and not replace:
        raise ExistsError(f"There is a pack in {folder} already. Use --replace to replace it, or name another folder.")
    if not folder.is_dir() and (folder.exists() or folder.is_symlink()):
        raise ExistsError(f"{folder} is a file. Name a folder.")
    return folder


def _written(folder: Path, files: Mapping[str, bytes], remark: str = "") -> WrittenPack:
    """Write all files beside the folder, and put them in its place when they are whole."""
    with disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as beside:
            made, former = Path(beside) / "made", Path(beside) / "former"
            for name, content in files.items():
                (made / name).parent.mkdir(parents=True, exist_ok=True)
                (made / name).write_bytes(content)
            if folder.exists():
                _check_only_a_pack(folder)
                folder.rename(former)
            try:
                made.rename(folder)
            except OSError:
                with contextlib.suppress(OSError):
                    former.rename(folder)
                raise
            shutil.rmtree(former, ignore_errors=True)
    return WrittenPack(str(folder), tuple(files), remark)


def _check_only_a_pack(folder: Path) -> None:
    """Refuse to replace a folder in which there is something that no pack has."""
    parts = ("figures", "tables", "index.html", "tables.tex", "methods.txt", "checklists.csv", DOCUMENT)
    foreign = sorted(one.name for one in folder.iterdir() if one.name not in parts)
    for part in ("figures", "tables"):
        inside = (folder / part).iterdir() if (folder / part).is_dir() else ()
        foreign += sorted(f"{part}/{one.name}" for one in inside if one.suffix not in (".svg", ".pdf", ".csv", ".tex"))
    if foreign:
        raise ExistsError(
            f"{folder} holds {brief(foreign[0])}, which is of no pack, so it is not replaced. Name another folder."
        )
