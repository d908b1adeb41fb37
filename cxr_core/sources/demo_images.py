"""Drawing the demo's images on all cores, as the examples of its TFRecords."""

import contextlib
import io
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

from PIL import Image

from cxr_core.errors import CxrError
from cxr_core.processes import cores, end_with_parent
from cxr_core.records.example import Record, encode
from cxr_core.schema import INTEGER_KEYS, View, dataset_code, image_path, view_code
from cxr_core.sources.phantoms.cohort import Study
from cxr_core.sources.phantoms.picture import Request, draw_picture

JPEG_QUALITY = 90
CHUNK = 25


def image_keys(study: Study, image: int, view: str) -> tuple[str, dict[str, int]]:
    """Return the path and the integer keys of an image."""
    path = image_path(study.dataset, study.patient, study.study, image, view)
    codes = (study.patient, study.study, image, view_code(view), dataset_code(study.dataset))
    return path, dict(zip(INTEGER_KEYS, codes, strict=True))


def drawn(executor: Executor, seed: int, images: list[tuple[Study, int]]) -> Iterator[dict[int, bytes]]:
    """Yield the serialised examples by position in `images`, a chunk at a time, as they get ready."""
    view_of = [dict(study.images)[image] for study, image in images]
    jobs = [(index, study, image, view_of[index]) for index, (study, image) in enumerate(images)]
    waiting: list[Future[dict[int, bytes]]] = [
        executor.submit(_draw_chunk, seed, jobs[start : start + CHUNK]) for start in range(0, len(jobs), CHUNK)
    ]
    try:
        for future in as_completed(waiting):
            yield future.result()
    except BrokenProcessPool as error:
        raise CxrError("A process that drew images was killed, perhaps for memory. Free some and try again.") from error
    finally:
        for future in waiting:
            future.cancel()


def _draw_chunk(seed: int, jobs: list[tuple[int, Study, int, str]]) -> dict[int, bytes]:
    return {index: _example(seed, study, image, view) for index, study, image, view in jobs}


def _example(seed: int, study: Study, image: int, view: str) -> bytes:
    """Draw one image and return it as a serialised TFRecord example."""
    request = Request(
        seed=seed,
        patient=study.patient,
        study=study.study,
        image=image,
        frontal=view == View.frontal.name,
        female=study.female,
        age=study.age,
        ap=study.ap,
        strengths=study.strengths,
    )
    jpg = io.BytesIO()
    Image.fromarray(draw_picture(request)).save(jpg, "JPEG", quality=JPEG_QUALITY)
    path, keys = image_keys(study, image, view)
    return encode(Record(jpg=jpg.getvalue(), labels=study.labels, keys=keys, path=path))


@contextlib.contextmanager
def drawing_workers(images: int) -> Iterator[Executor]:
    """Yield worker processes, one a core; a handful of images is drawn by a thread of this process."""
    workers = min(cores(), images // (4 * CHUNK))
    if workers < 2:
        with ThreadPoolExecutor(1) as thread:
            yield thread
        return
    # "spawn": the caller may have threads, and a forked copy of them can deadlock.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=end_with_parent)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
