"""The record of one image of a source, by its path, read by the index of its TFRecord file."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from cxr_core.errors import CxrError, UsageError, brief
from cxr_core.locations import is_remote
from cxr_core.records.index import FoundRecord, find_record, has_index
from cxr_core.records.layout import fill_pattern
from cxr_core.schema import DATASETS, VIEWS
from cxr_core.sources.registry import ready_source
from cxr_core.sources.source import Source
from cxr_core.stamps import looked
from cxr_core.storage import matching

#: A file of this size is read through while somebody waits; a larger one is left to a run.
_AT_ONCE_BYTES = 64 * 1024 * 1024


def image_record(source_name: str, path: str, former: Sequence[str] = (), at_once: bool = False) -> FoundRecord:
    """Return the record of an image.

    Args:
        source_name: the source.
        path: as the tables have it.
        former: other paths that the records may know the image by, as those that its keys give.
        at_once: whether large files that have no index yet, and those on gs://, are left out.

    Raises:
        UnknownNameError: there is no such source.
        UsageError: the source has no records, or none has the path.
        RecordError: the record is damaged, or a file is and the path is in no other.
        StorageError: Cloud Storage refuses, or cannot be reached.
    """
    source = looked(("source", source_name), partial(ready_source, source_name))
    left_out: list[str] = []
    for known in dict.fromkeys((path, *former)):
        files = _record_files(source.records, path)
        found = find_record(known, _readable(files, left_out) if at_once else files)
        if found is not None:
            return found
    if not any(_record_files(source.records, path)):
        raise UsageError(
            f"The source {source_name} has no TFRecords ({source.records}), so there is no picture. Import the images."
        )
    if left_out:
        raise UsageError(f"The TFRecords of {source_name} have no index yet. Make it: `index --source {source_name}`.")
    raise UsageError(
        f"No TFRecord of the source {source_name} holds {brief(path)}. Give a path as `images` lists it, or "
        "import its image."
    )


def why_no_record(source_name: str, path: str, former: Sequence[str] = ()) -> str:
    """Return why an image has no record that can be shown at once, "" where it has one."""
    try:
        image_record(source_name, path, former, at_once=True)
    except CxrError as error:
        return str(error)
    return ""


def all_record_files(source: Source) -> list[str]:
    """Return the TFRecord files of a source, of all data sets and views."""
    return list(_record_files(source.records, ""))


def without_index(source_name: str) -> list[str]:
    """Return the TFRecord files of a source that are to be read through by a run before their images are shown.

    Raises:
        UnknownNameError: there is no such source.
        StorageError, UsageError: the files cannot be listed.
    """
    files = all_record_files(ready_source(source_name))
    return [file for file in files if not has_index(file) and not _is_small(file)]


def _readable(files: Iterable[str], left_out: list[str]) -> Iterator[str]:
    """Yield the files that are read while somebody waits, and put the others among those that are left out.

    None is looked at before it is asked for: the record is mostly in the first one.
    """
    for file in files:
        if has_index(file) or _is_small(file):
            yield file
        else:
            left_out.append(file)


def _is_small(file: str) -> bool:
    return not is_remote(file) and Path(file).stat().st_size <= _AT_ONCE_BYTES


def _record_files(pattern: str, path: str) -> Iterator[str]:
    """Yield all record files once, those first whose data set and view stand in the path, folder by folder."""
    places, known = [(dataset, view) for dataset in DATASETS for view in VIEWS], set[str]()
    for dataset, view in sorted(places, key=lambda place: -sum(name in path for name in place)):
        filled = fill_pattern(pattern, dataset, view)
        for file in looked(("record files", filled), partial(matching, filled)):
            if file not in known:
                known.add(file)
                yield file
