"""What a person would rather see where nothing else is said: a file a person, which nobody else reads or writes."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from cxr_core.atomic import write_text
from cxr_core.caller import caller
from cxr_core.errors import UsageError, brief
from cxr_core.schema import VIEWS
from cxr_core.settings import settings
from cxr_core.stamps import looked

FOLDER = "persons"


@dataclass(frozen=True)
class Preferences:
    """`source` and `view` that pages begin with, "" for the usual ones; whether they offer downloads.

    No person can have downloads where the setting `downloads` switches them off.
    """

    source: str = ""
    view: str = ""
    downloads: bool = True


def preferences() -> Preferences:
    """Return what whoever acts prefers; of a file that cannot be read, what is usual."""
    path = _path()
    return looked(("preferences", path), lambda: _read(path))


def prefer(**changed: Any) -> Preferences:
    """Keep what whoever acts prefers from now on, by the names of the fields; return all of it.

    Raises:
        UsageError: a value cannot be preferred.
        CxrError: the disk is full, or the workspace may not be written.
    """
    path = _path()
    wanted = replace(_read(path), **changed)
    if not _is_sound(wanted):
        raise UsageError(
            f"A source and one of the views {', '.join(VIEWS)} can be preferred. Received: {brief(changed)}."
        )
    write_text(path, json.dumps({"who": caller().name} | asdict(wanted), ensure_ascii=False))
    path.chmod(0o600)  # also where the workspace is open to its group
    return wanted


def _path() -> Path:
    """Return the file of whoever acts; a name may have any character, so its digest stands for it."""
    return settings().home / FOLDER / f"{hashlib.sha256(caller().name.encode()).hexdigest()[:32]}.json"


def _read(path: Path) -> Preferences:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        found = Preferences(said["source"], said["view"], said["downloads"])
    except (OSError, ValueError, KeyError, TypeError):
        return Preferences()
    return found if _is_sound(found) else Preferences()


def _is_sound(wanted: Preferences) -> bool:
    texts = isinstance(wanted.source, str) and isinstance(wanted.view, str)
    return texts and isinstance(wanted.downloads, bool) and wanted.view in ("", *VIEWS) and len(wanted.source) < 200
