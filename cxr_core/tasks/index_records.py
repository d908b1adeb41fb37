"""Making the indexes of a source's TFRecords in the background, so that each of its images is shown at once."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from cxr_core.errors import UsageError
from cxr_core.locations import is_remote
from cxr_core.records.index import build_index, has_index
from cxr_core.runs import service
from cxr_core.runs.run import Run
from cxr_core.runs.step import StepContext
from cxr_core.sources.registry import get_source, ready_source
from cxr_core.storage import version
from cxr_core.tasks.image_record import all_record_files

KIND = "index"
_MEGABYTE = 1_000_000


def start_indexing(source_name: str, anew: bool = False) -> Run:
    """Start to read the TFRecords of a source through and return the run, or the one that is at it.

    Args:
        source_name: the source.
        anew: whether indexes that are there are made once more.

    Raises:
        UnknownNameError: there is no such source.
        UsageError: it has no TFRecords.
        StorageError: Cloud Storage refuses, or cannot be reached.
    """
    source = ready_source(source_name)
    if not all_record_files(source):
        raise UsageError(f"The source {source_name} has no TFRecords ({source.records}). Import the images.")
    for run in service.list_runs():
        if run.kind == KIND and run.source == source_name and run.is_active:
            return run
    return service.submit(KIND, f"index of {source_name}", source_name, {"anew": anew}, resumable=True)


def work(context: StepContext) -> None:
    """Make the indexes in the process of the run."""

    def tell(read: float, of: float) -> None:
        context.stop_if_cancelled()
        context.progress(round(read), round(of) or 1, message="reading MB of records")

    context.result(index_records(context.source, context.config["anew"], tell))


def index_records(source_name: str, anew: bool, tell: Callable[[float, float], object]) -> dict[str, Any]:
    """Make the indexes that are missing, or all, and return how many files and images there were and what is damaged.

    `tell` is called at each record with the megabytes that were read and those that there are.
    """
    files = all_record_files(get_source(source_name))
    sizes = [_megabytes(file) for file in files]
    images, damage = 0, list[str]()
    for place, file in enumerate(files):
        tell(sum(sizes[:place]), sum(sizes))
        if anew or not has_index(file):
            index = build_index(file, partial(_tell_within, tell, sum(sizes[:place]), sum(sizes)))
            images += len(index.rows)
            damage += index.damage
    return {"files": len(files), "images": images, "damage": damage}


def _tell_within(tell: Callable[[float, float], object], before: float, of: float, read: int) -> None:
    tell(before + read / _MEGABYTE, of)


def _megabytes(file: str) -> float:
    """Return the size of a file, which on gs:// stands behind its version."""
    return (int(version(file).rpartition("-")[2]) if is_remote(file) else Path(file).stat().st_size) / _MEGABYTE
