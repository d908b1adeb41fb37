"""Whether a place is ready for runs: reachable, with the same version, and with the same folders and records."""

import contextlib
import os
import shlex
import shutil
from collections.abc import Iterator, Sequence

from cxr_core import __version__
from cxr_core.atomic import write_text
from cxr_core.errors import CxrError, PlaceError
from cxr_core.locations import is_remote
from cxr_core.runs.places.definition import PlaceDefinition
from cxr_core.runs.places.object_folder import ObjectFolder
from cxr_core.runs.places.registry import definition_of, get_place
from cxr_core.runs.places.script import SHOW, exported
from cxr_core.workspace import make_private_folder

_VERSION, _SEEN, _RECORD = "version:", "seen:", "record:"
#: What stands for a folder that is there, and into which whoever works at the place may not look.
_CLOSED = "closed"


def definition_problems(name: str) -> list[str]:
    """Return what is wrong with the definition of a place, in one sentence each; asks nobody."""
    try:
        get_place(name)
    except CxrError as error:
        return [str(error)]
    return []


def place_problems(name: str, records: Sequence[str]) -> list[str]:
    """Return what keeps runs from working at a place, one sentence each; the place is asked.

    Args:
        name: of a place other than here.
        records: record files that it should be able to read; those on gs:// are not looked at.
    """
    try:
        place, definition = get_place(name), definition_of(name)
        with _token(definition) as (file, token):
            local = [record for record in records if not is_remote(record)]
            said = place.answer(_script(definition, file, local))
    except CxrError as error:
        return [str(error)]
    if said is None:
        return [_unread(name, local[0])] if local and not place.terms().reads_paths else []
    return _problems(definition, said.splitlines(), token, local)


def try_folder(name: str) -> None:
    """Write into the folder of a place on an object store, and remove that: a wrong one is told before the start.

    Raises:
        StorageError: it cannot be written, or the store does not answer.
        PlaceError: what reads it is not installed.
    """
    definition = definition_of(name)
    if definition.location:
        with _token(definition):
            return


@contextlib.contextmanager
def _token(definition: PlaceDefinition) -> Iterator[tuple[str, str]]:
    """Yield a command that shows a file in the folder of the place, and what it shows to whoever reaches that."""
    token = os.urandom(8).hex()
    name = f".seen-{token}"
    if definition.location:
        store = ObjectFolder(definition.location)
        store.write(name, token.encode())
        try:
            yield shlex.join([definition.python, "-m", "cxr_core", SHOW, definition.location, name]), token
        finally:
            store.remove([name])
        return
    closed = definition.folder / name  # as the folder of a run is
    try:
        make_private_folder(closed)
        write_text(closed / name, token)
        there = f"{{ test -d {shlex.quote(str(closed))} && echo {_CLOSED}; }}"
        yield f"cat {shlex.quote(str(closed / name))} || {there}", token
    except OSError as error:
        raise PlaceError(f"The folder {definition.folder} cannot be written here: {error.strerror}.") from error
    finally:
        shutil.rmtree(closed, ignore_errors=True)


def _script(definition: PlaceDefinition, shown: str, records: Sequence[str]) -> str:
    version = shlex.join([definition.python, "-m", "cxr_core", "--version"])
    folder = "/" if definition.location else str(definition.folder)
    lines = [
        f"cd {shlex.quote(folder)} 2>/dev/null || cd /",
        *definition.setup,
        *exported(definition),
        "export PYTHONSAFEPATH=1",
        f'echo "{_VERSION}$({version} 2>&1 | tail -n 1)"',
        f'echo "{_SEEN}$({shown} 2>/dev/null)"',
        *(f"test -r {shlex.quote(record)} && echo {shlex.quote(_RECORD + record)}" for record in records),
        "true",
    ]
    return "\n".join(lines) + "\n"


def _problems(definition: PlaceDefinition, said: list[str], token: str, records: Sequence[str]) -> list[str]:
    name, found = definition.name, []
    version = next((line.removeprefix(_VERSION) for line in said if line.startswith(_VERSION)), "")
    if version != f"CXR Lab {__version__}":
        said_there = version[:150] or "nothing"
        found.append(f"{definition.python} at {name} must have CXR Lab {__version__}, as here. It says: {said_there}.")
    if f"{_SEEN}{_CLOSED}" in said:
        found.append(
            f"{name} sees {definition.folder}, but not what is closed to others there. The work must run as the user "
            "who is here, or as one of the group with group_access."
        )
    elif f"{_SEEN}{token}" not in said:
        folder = definition.location or f"{definition.folder} of this machine"
        found.append(f"{name} does not see the folder {folder}. Name one that both see.")
    if unseen := [record for record in records if f"{_RECORD}{record}" not in said]:
        found.append(_unread(name, unseen[0]))
    return found


def _unread(name: str, record: str) -> str:
    return f"{name} cannot read {record}. Put records where both can read them, or on gs://."
