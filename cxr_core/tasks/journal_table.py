"""The journal of a workspace for whoever answers for it: filtered, and as a table that is safe in a spreadsheet."""

import csv
import io
import json
from collections.abc import Callable

from cxr_core.caller import ADMIN, require
from cxr_core.journal import Deed, deeds
from cxr_core.pack.spreadsheet import defused
from cxr_core.sight import sight

HEADERS = ("when", "who", "host", "what", "about")


def found_deeds(who: str = "", what: str = "", since: str = "", text: str = "") -> list[Deed]:
    """Return what was done, the oldest first; see `cxr_core.journal.deeds`.

    What was done to sources that whoever asks may not see is left out.

    Raises:
        UsageError: whoever asks is no admin.
    """
    require(ADMIN, "read the journal")
    seen = sight()
    return [deed for deed in deeds(who, what, since, text) if _is_seen(deed, seen)]


def _is_seen(deed: Deed, seen: Callable[[str], bool]) -> bool:
    source = deed.about.get("source")
    return source is None or seen(str(source))


def as_csv(found: list[Deed]) -> bytes:
    """Return deeds as CSV in UTF-8, safe in a spreadsheet."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADERS)
    writer.writerows([defused(cell) for cell in cells(deed)] for deed in found)
    return out.getvalue().encode()


def cells(deed: Deed) -> list[str]:
    """Return a deed as texts in the order of `HEADERS`."""
    words = {name: value if isinstance(value, str) else json.dumps(value) for name, value in deed.about.items()}
    return [deed.when, deed.who, deed.host, deed.what, ", ".join(f"{name} {word}" for name, word in words.items())]
