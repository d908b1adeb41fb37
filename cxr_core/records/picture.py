"""One picture of many: the record of a path, and what it looks like."""

import io
from collections.abc import Iterable
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from cxr_core.errors import RecordError
from cxr_core.records.example import Record, decode
from cxr_core.records.foreign import in_own_form
from cxr_core.records.tfrecord import read_payloads
from cxr_core.schema import DATASETS, INTEGER_KEYS, VIEWS, image_path


@dataclass(frozen=True, eq=False)
class FoundRecord:
    """The record of a path; `where` names it in errors, as in "Record 3 of FILE"."""

    record: Record
    where: str


def find_record(path: str, files: Iterable[str]) -> FoundRecord | None:
    """Read through record files, here or on gs://, and return the record of `path`, None where none has it.

    A record that does not tell its path is named by its keys. Damage is told only where the path is not found, because
    the rest of a damaged file cannot be read.

    Raises:
        RecordError: the path is in no record that could be read, and a file is damaged.
    """
    damage: RecordError | None = None
    for file in files:
        try:
            found = _in_file(path, file)
        except RecordError as error:
            damage = damage or error
            continue
        if found:
            return found
    if damage:
        raise damage
    return None


def picture_of(found: FoundRecord) -> Image.Image:
    """Return the decoded picture of a record.

    Raises:
        RecordError: it is no JPEG, or damaged.
    """
    try:
        with Image.open(io.BytesIO(found.record.jpg), formats=["JPEG"]) as image:
            image.load()
            return image.convert("L")
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise RecordError(f"{found.where} holds no readable JPEG. Make the file anew.") from error


def _in_file(path: str, file: str) -> FoundRecord | None:
    for own in in_own_form([file]):
        for number, payload in enumerate(read_payloads(own), start=1):
            where = f"Record {number} of {own}"
            record = decode(payload, where)
            if _path_of(record) == path:
                return FoundRecord(record, where)
    return None


def _path_of(record: Record) -> str | None:
    if record.path is not None or not record.keys.keys() >= set(INTEGER_KEYS):
        return record.path
    patient, study, image, view, dataset = (record.keys[key] for key in INTEGER_KEYS)
    if not (0 <= view < len(VIEWS) and 0 <= dataset < len(DATASETS)):
        return None
    return image_path(DATASETS[dataset], patient, study, image, VIEWS[view])
