"""Images -> TFRecords, part by part over all cores, so that an import that was killed goes on where it was.

A part is a fixed, small number of images of one data set and view. It is written as a whole with the list of what was
skipped in it; parts that are there already are not made again. In the end parts are put together to the record files.
"""

import json
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cxr_core.atomic import write_text
from cxr_core.errors import CxrError, DataError
from cxr_core.processes import cores, end_with_parent
from cxr_core.records.example import Record, encode
from cxr_core.records.tfrecord import read_payloads, write_records
from cxr_core.sources.importing.image_files import ImageFile, read_image
from cxr_core.sources.importing.pictures import Preparation, record_jpeg

#: Small, so that the processes end at about the same time and a kill costs little.
PART_IMAGES = 32
#: Some 40 MB a file.
SHARD_PARTS = 64


@dataclass(frozen=True)
class PlannedImage:
    """One image and what its record says of it."""

    file: ImageFile
    path: str
    keys: dict[str, int]
    labels: dict[str, int]


@dataclass(frozen=True)
class Part:
    """Some images of one data set and view, and the number of the part among theirs."""

    dataset: str
    view: str
    number: int
    images: tuple[PlannedImage, ...]

    def file(self, folder: Path) -> Path:
        """Return where the records of this part lie below a staging folder."""
        return folder / f"{self.dataset}-{self.view}-{self.number:06d}"

    def skipped_file(self, folder: Path) -> Path:
        """Return where the list of what was skipped lies; it is written first, so the records mean that both are."""
        return folder / f"{self.dataset}-{self.view}-{self.number:06d}.skipped.json"


@dataclass(frozen=True)
class Outcome:
    """What became of a part: the records `written`, and name and reason of each image `skipped`."""

    written: int
    skipped: tuple[tuple[str, str], ...]


def planned_parts(images: dict[tuple[str, str], Sequence[PlannedImage]]) -> list[Part]:
    """Return the parts for the images of each (data set, view), in order."""
    return [
        Part(dataset, view, start // PART_IMAGES, tuple(group[start : start + PART_IMAGES]))
        for (dataset, view), group in images.items()
        for start in range(0, len(group), PART_IMAGES)
    ]


@contextmanager
def image_readers() -> Iterator[ProcessPoolExecutor]:
    """Start one process a core for `write_parts`; they get ready while the caller finds out what is to be done."""
    # "spawn": the caller may have threads, and a forked copy of them can deadlock.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(cores(), mp_context=context, initializer=end_with_parent) as readers:
        for _ in range(cores()):
            readers.submit(cores)
        try:
            yield readers
        finally:
            readers.shutdown(cancel_futures=True)


def write_parts(
    readers: ProcessPoolExecutor, parts: Sequence[Part], place: Path, folder: Path, how: Preparation
) -> Iterator[Outcome]:
    """Write the parts that `folder` has not yet, in parallel, and yield what became of each as it is known.

    Args:
        readers: of `image_readers`.
        parts: all parts of the import.
        place: the folder or tar of the images.
        folder: the staging folder.
        how: what is done to the pictures.

    Raises:
        CxrError: the disk is full, or a process was killed.
    """
    missing = []
    for part in parts:
        known = _outcome(part, folder)
        if known is None:
            missing.append(part)
        else:
            yield known
    try:
        yield from _as_done(readers, missing, place, folder, how)
    except BrokenProcessPool as error:
        raise CxrError("A process that read images was killed, perhaps for memory. Resume the run.") from error


def join_parts(parts: Sequence[Part], folder: Path, target: Path) -> int:
    """Write the record files `<dataset>/<view>-NNNNN-of-NNNNN` below `target` from all parts; return the records."""
    written = 0
    for dataset, view in dict.fromkeys((part.dataset, part.view) for part in parts):
        own = [part for part in parts if (part.dataset, part.view) == (dataset, view)]
        groups = [own[start : start + SHARD_PARTS] for start in range(0, len(own), SHARD_PARTS)]
        for number, group in enumerate(groups):
            name = f"{view}-{number:05d}-of-{len(groups):05d}"
            payloads = (payload for part in group for payload in read_payloads(part.file(folder)))
            written += write_records(target / dataset / name, payloads)
    return written


def _as_done(
    readers: ProcessPoolExecutor, parts: list[Part], place: Path, folder: Path, how: Preparation
) -> Iterator[Outcome]:
    """Keep the processes busy with few parts in waiting, so that memory does not grow with the number of images."""
    waiting: set[Future[Outcome]] = set()
    coming = iter(parts)
    while True:
        while len(waiting) < 2 * cores() and (part := next(coming, None)) is not None:
            waiting.add(readers.submit(_write_part, part, place, folder, how))
        if not waiting:
            return
        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        for future in done:
            yield future.result()


def _write_part(part: Part, place: Path, folder: Path, how: Preparation) -> Outcome:
    payloads: list[bytes] = []
    skipped: list[tuple[str, str]] = []
    for image in part.images:
        try:
            jpeg = record_jpeg(read_image(place, image.file), how.aspect, how.equalise)
        except DataError as error:
            skipped.append((image.file.name, str(error)))
            continue
        payloads.append(encode(_record(image, jpeg, how)))
    write_text(part.skipped_file(folder), json.dumps({"written": len(payloads), "skipped": skipped}))
    write_records(part.file(folder), payloads)
    return Outcome(len(payloads), tuple(skipped))


def _record(image: PlannedImage, jpeg: bytes, how: Preparation) -> Record:
    return Record(jpg=jpeg, labels=image.labels, keys=image.keys, path=image.path, equalised=how.equalise)


def _outcome(part: Part, folder: Path) -> Outcome | None:
    if not part.file(folder).is_file():
        return None
    try:
        told = json.loads(part.skipped_file(folder).read_text())
        return Outcome(int(told["written"]), tuple((str(name), str(why)) for name, why in told["skipped"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
