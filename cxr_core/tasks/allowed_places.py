"""Where a page may let the product write and read, besides what it finds by itself.

The command line acts for the person whose account it runs under, so it reads and writes wherever that person may. A
page acts for whoever reaches it, what it sends can be forged, and a link fills in its inputs: the engine lets it write
only below the workspace and the folders of the setting `output_folders`, and read only below the workspace, the places
of the sources and the folders of the setting `input_folders`. What lies elsewhere is refused before it is looked at,
so that nobody learns whether it exists.

Within these, what belongs to a source that whoever acts may not see is closed to him: its folder of the workspace, its
own places and the folders of its runs. So is to everybody who logs in what the product keeps for itself.
"""

import contextlib
import glob
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from cxr_core.caller import caller
from cxr_core.errors import CxrError, UsageError, brief
from cxr_core.file_patterns import Limits, is_below, lies_in_any, nobody_leaves
from cxr_core.locations import is_remote
from cxr_core.runs.store import RunStore
from cxr_core.settings import settings
from cxr_core.sight import sight
from cxr_core.sources.registry import all_source_names, source_for_all, source_names
from cxr_core.sources.source import Source
from cxr_core.workspace import KEPT_FOR_ITSELF

#: What `{dataset}`, `{view}` and `{model}` begin with in a pattern.
_FIELD = "{"


def check_output(what: str, place: str) -> None:
    """Raise `UsageError` when a page may not let a run write to `place`, an absolute folder or one on gs://.

    Links are followed, so that none leads out of the allowed folders.
    """
    allowed = (str(settings().home), *settings().output_folders)
    if place and (not any(_lies_in(place, folder) for folder in allowed) or _is_closed(place)):
        raise UsageError(
            f"The {what} must lie in one of the folders that pages may write to: {', '.join(allowed)}. "
            f"Received: {brief(place)}. Choose another, or add it to the setting output_folders."
        )


def check_input(what: str, place: str) -> None:
    """Raise `UsageError` when a page may not read `place`, an absolute path or one on gs://, or a pattern of such.

    It may be there or not: the answer is the same.
    """
    if not place:
        return
    allowed, fixed = readable_places(), _fixed_part(place)
    is_allowed = ".." not in PurePosixPath(place).parts and any(_lies_in(fixed, folder) for folder in allowed)
    if not is_allowed or _is_closed(fixed, whole=fixed == place):
        raise UsageError(
            f"The {what} must lie in one of the places that pages may read: {', '.join(allowed)}. "
            f"Received: {brief(place)}. Choose another, add its folder to the setting input_folders, "
            "or use the command line."
        )


def readable_places() -> tuple[str, ...]:
    """Return the workspace, where the sources say that their records and models lie, and what the settings add."""
    home = str(settings().home)
    own = {place for name in source_names() for place in _places_of(name) if not Path(place).is_relative_to(home)}
    return tuple(dict.fromkeys([home, *sorted(own), *settings().input_folders]))


def page_limits(going_on: Callable[[], object] = nobody_leaves) -> Limits:
    """Return how far a look through folders goes that a page asked for.

    Args:
        going_on: called now and then; raises when nobody waits for the page any more.
    """
    below, closed = (
        tuple(place for place in places if not is_remote(place)) for places in (readable_places(), closed_places())
    )
    return Limits(below, closed, going_on=going_on)


def closed_places() -> tuple[str, ...]:
    """Return what whoever acts may neither read nor write, wherever it lies; nothing for the user of the system."""
    if caller().names is None:
        return ()
    seen, home = sight(), settings().home
    hidden = [name for name in all_source_names() if not seen(name)]
    own = [home / name for name in KEPT_FOR_ITSELF] + [home / "sources" / name for name in hidden]
    runs = RunStore(home).folders_not_seen() if hidden else []
    open_to_him = {place for name in all_source_names() if seen(name) for place in _places_of(name)}
    elsewhere = {place for name in hidden for place in _places_of(name)} - open_to_him
    return tuple(dict.fromkeys([*map(str, [*own, *runs]), *sorted(elsewhere)]))


def _is_closed(place: str, whole: bool = False) -> bool:
    """Say whether a place lies in a closed one; of a folder that is read as a `whole`, also whether it has one."""
    closed = [folder for folder in closed_places() if is_remote(folder) == is_remote(place)]
    if is_remote(place):
        within = any(_lies_in(place, folder) for folder in closed)
    else:
        within = lies_in_any(place, tuple(closed))
    return within or (whole and any(_lies_in(folder, place) for folder in closed))


def _places_of(source_name: str) -> Iterator[str]:
    with contextlib.suppress(CxrError):  # a source that is wrongly defined has no places
        source: Source = source_for_all(source_name)
        for pattern in (source.records, *source.models):
            place = _fixed_part(pattern, of_a_file=True)
            if PurePosixPath(place) != PurePosixPath("/"):
                yield place


def _fixed_part(pattern: str, of_a_file: bool = False) -> str:
    """Return the part of a pattern that stands for itself; of one that names a file the folder of it."""
    parts = pattern.split("/")
    fixed = next((place for place, part in enumerate(parts) if _FIELD in part or glob.has_magic(part)), len(parts))
    if of_a_file:
        fixed = min(fixed, len(parts) - 1)
    return "/".join(parts[:fixed]) or "/"


def _lies_in(place: str, folder: str) -> bool:
    if is_remote(place) != is_remote(folder):
        return False
    if is_remote(place):
        return ".." not in place.split("/") and PurePosixPath(place).is_relative_to(PurePosixPath(folder))
    return is_below(place, folder)
