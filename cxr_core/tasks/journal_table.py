"""The journal of a workspace for whoever answers for it: filtered, and as a table that is safe in a spreadsheet."""

import csv
import io
import json

from cxr_core.caller import ADMIN, require
from cxr_core.journal import Deed, deeds
from cxr_core.pack.spreadsheet import defused

HEADERS = ("when", "who", "host", "what", "about")


def found_deeds(who: str = "", what: str = "", since: str = "", text: str = "") -> list[Deed]:
    """Return what was done, the oldest first; see `cxr_core.journal.deeds`.

    Raises:
        UsageError: whoever asks is no admin.
    """
    require(ADMIN, "read the journal")
    return list(deeds(who, what, since, text))


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
