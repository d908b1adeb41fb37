"""Where record files lie, and whether they are what training and prediction need."""

import contextlib
import io
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from cxr_core.atomic import write_text
from cxr_core.errors import RecordError, UsageError
from cxr_core.file_patterns import Limits, nobody_leaves
from cxr_core.locations import is_remote
from cxr_core.records.example import Record, decode
from cxr_core.records.tfrecord import count_records, read_payloads
from cxr_core.schema import INTEGER_KEYS, LABELS, RECORD_IMAGE_SIZE, VALUES, VIEWS, view_code
from cxr_core.stamps import Stamp, file_stamp
from cxr_core.storage import cached_path, matching, version

#: Examples that are parsed from each file before a run; damage further in is reported when it is met.
_PARSED_PER_FILE = 4
#: Files on gs:// that are looked at together; reading one waits for the network most of the time.
_REMOTE_FILES_AT_ONCE = 8


@dataclass(frozen=True)
class RecordsSummary:
    """What was found: the number of files and of images in them."""

    files: int
    images: int


def fill_pattern(pattern: str, dataset: str, view: str) -> str:
    """Put a data set and a view into a records pattern such as `records/{dataset}/{view}-*`."""
    return pattern.replace("{dataset}", dataset).replace("{view}", view)


def find_records(pattern: str, dataset: str, view: str, limits: Limits | None = None) -> list[str]:
    """Return the record files of one data set and view, here or on gs://, sorted by name.

    Raises:
        UsageError: no file matches within the limits, or a gs:// pattern needs credentials.
        StorageError: the bucket of a gs:// pattern is not there, access is refused, or there is no network.
    """
    filled = fill_pattern(pattern, dataset, view)
    found = matching(filled, limits)
    if not found:
        raise UsageError(
            f"No TFRecords match {filled} ({view}, {dataset}). Check the path, or build or import the images."
        )
    return found


def check_records(
    paths: Sequence[str],
    view: str | None,
    with_keys: bool = False,
    going_on: Callable[[], object] = nobody_leaves,
) -> RecordsSummary:
    """Count all records, and parse the first of each file: fields, label codes, JPEG of 320x320x1, the view.

    A file on gs:// is read through once to be counted; the count is kept until the file is replaced.

    Args:
        paths: TFRecord files.
        view: the view that the records must be of; None accepts any, as do records that do not say theirs.
        with_keys: whether records that do not name their image (patient, study, image, view, dataset) are refused.
        going_on: called before each file of this machine; raises when nobody waits for the answer any more.

    Raises:
        RecordError: the first thing that is wrong, with file and record.
    """
    remote = [path for path in paths if is_remote(path)]
    with ThreadPoolExecutor(_REMOTE_FILES_AT_ONCE) as executor:
        counted = executor.map(lambda path: _checked_images(path, version(path), view, with_keys), remote)
        images = 0
        for path in (path for path in paths if not is_remote(path)):
            going_on()
            images += _checked_images(path, file_stamp(path), view, with_keys)
        images += sum(counted)
    if not images:
        raise RecordError(f"The TFRecord files hold no example: {paths[0]} and {len(paths) - 1} more. Make them anew.")
    return RecordsSummary(files=len(paths), images=images)


@lru_cache(maxsize=4096)
def _checked_images(path: str, content: Hashable, view: str | None, with_keys: bool) -> int:
    """Count the records of one file and check its first, once until it changes: a form asks again at every choice."""
    images = _remote_count(path, str(content)) if is_remote(path) else count_records(path)
    for where, record in islice(records_of(path), _PARSED_PER_FILE):
        check_record(record, where, view)
        if with_keys:
            _check_keys(record, where)
        elif not record.labels:
            raise RecordError(f"{where} has no label. Training needs one at least; to predict, it needs none.")
    return images


def stated_labels(paths: Sequence[str], value: int | None = None) -> tuple[str, ...]:
    """Return the labels that any record of the files tells, or tells to be `value`, in the order of the schema.

    The first records of each file are looked at; where they lack a label, all records of the files of this machine are.
    Files elsewhere are taken to have every value of the labels that they tell.
    """
    remote = [path for path in paths if is_remote(path)]
    stated = {label for path in remote for label in _labels_in(path, file_stamp(path), _PARSED_PER_FILE, None)}
    here = [path for path in paths if not is_remote(path)]
    stated |= {label for path in here for label in _labels_in(path, file_stamp(path), _PARSED_PER_FILE, value)}
    if len(stated) < len(LABELS):
        stated |= {label for path in here for label in _labels_in(path, file_stamp(path), None, value)}
    return tuple(label for label in LABELS if label in stated)


def equalised(paths: Sequence[str]) -> bool:
    """Say whether the pictures of record files had their histograms made flat, by the first record of each.

    Raises:
        RecordError: some had and some had not, so that no network can be right for both.
    """
    found = {_first_equalised(path, file_stamp(path)): path for path in paths}
    found.pop(None, None)
    if len(found) > 1:
        raise RecordError(
            f"The pictures of {found[True]} are equalised, those of {found[False]} are not. Import all in one way."
        )
    return bool(next(iter(found), False))


@lru_cache(maxsize=4096)
def _first_equalised(path: str, _content: Stamp) -> bool | None:
    first = next(records_of(path), None)
    return None if first is None else first[1].equalised


@lru_cache(maxsize=4096)
def _labels_in(path: str, _content: Stamp, most: int | None, value: int | None) -> frozenset[str]:
    found: set[str] = set()
    for _, record in islice(records_of(path), most):
        found |= {label for label, code in record.labels.items() if value is None or code == value}
        if len(found) == len(LABELS):
            break
    return frozenset(found)


def _remote_count(path: str, content: str) -> int:
    """Return the number of records of a file on gs://; other processes find it in the workspace."""
    kept = cached_path(path, content)
    kept = kept.with_name(f"{kept.name}.count")
    with contextlib.suppress(OSError, ValueError):
        return int(kept.read_text())
    images = count_records(path)
    write_text(kept, str(images))
    return images


def locate_damage(paths: Sequence[Path | str]) -> str | None:
    """Read every record of every file and return what is wrong with the first bad one, or None."""
    try:
        for path in paths:
            for where, record in records_of(path):
                check_record(record, where, None)
                _decode(record.jpg, where)
    except RecordError as error:
        return str(error)
    return None


def check_record(record: Record, where: str, view: str | None) -> None:
    """Raise `RecordError` unless the labels, the JPEG and the view of a record are as they must be."""
    for label, value in record.labels.items():
        if not 0 <= value < len(VALUES):
            raise RecordError(f"{where} has {label} = {value}. A label must be 0, 1, 2 or 3.")
    width, height, channels = _jpeg_shape(record.jpg, where)
    if (width, height, channels) != (RECORD_IMAGE_SIZE, RECORD_IMAGE_SIZE, 1):
        raise RecordError(
            f"{where} holds a JPEG of {width}x{height}x{channels}. Images must be "
            f"{RECORD_IMAGE_SIZE}x{RECORD_IMAGE_SIZE} with one channel; make the records anew."
        )
    code = record.keys.get("view")
    if view is not None and code is not None and code != view_code(view):
        shown = VIEWS[code] if 0 <= code < len(VIEWS) else str(code)
        raise RecordError(f"{where} is a {shown} view, but {view} was chosen. Choose records of one view.")


def _check_keys(record: Record, where: str) -> None:
    lacking = [key for key in INTEGER_KEYS if key not in record.keys]
    if lacking:
        raise RecordError(f"{where} lacks {', '.join(lacking)}. Prediction needs these keys to name the image.")


def records_of(path: Path | str) -> Iterator[tuple[str, Record]]:
    """Yield each record of a file with what errors call it; raises `RecordError` where the file is damaged."""
    for number, payload in enumerate(read_payloads(path), start=1):
        where = f"Record {number} of {path}"
        yield where, decode(payload, where)


def _jpeg_shape(jpg: bytes, where: str) -> tuple[int, int, int]:
    try:
        with Image.open(io.BytesIO(jpg), formats=["JPEG"]) as image:
            return image.width, image.height, len(image.getbands())
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise RecordError(f"{where} holds no readable JPEG. Make the file anew.") from error


def _decode(jpg: bytes, where: str) -> None:
    """Raise `RecordError` unless all of a JPEG is there, beyond what its header says."""
    try:
        with Image.open(io.BytesIO(jpg), formats=["JPEG"]) as image:
            image.load()
    except (OSError, SyntaxError) as error:
        raise RecordError(f"{where} holds a damaged JPEG ({error}). Make the file anew.") from error
