"""Who may see a source: the table `[who_may_see]` of `cxr.toml`, asked wherever a source or a work of it is named.

To whoever may not see a source it is not there: he is answered as if nobody had ever made it. A source that the table
does not name is seen by everybody who may log in, unless the table has a line for all others. Who logs in is held to
it, an admin too; the command line and the process of a run act for somebody whom the operating system knows.
"""

from collections.abc import Callable

from cxr_core.caller import caller
from cxr_core.errors import UsageError
from cxr_core.settings import who_may_see

#: Stands for all sources that the table does not name, and among persons for everybody who may log in.
OTHERS = EVERYBODY = "*"


def sight() -> Callable[[str], bool]:
    """Return what says of the name of a source whether whoever acts now may see it; it need not exist."""
    names = caller().names
    table = who_may_see() if names is not None else {}
    if names is None or not table:
        return lambda source: True
    known = names | {EVERYBODY}
    return lambda source: bool(known & table.get(source, table.get(OTHERS, known)))


def may_see(source: str) -> bool:
    """Say whether whoever acts now may see a source."""
    return sight()(source)


def check_own(source: str) -> None:
    """Raise `UsageError` where whoever acts may not see a source of that name, be there one or not."""
    if not may_see(source):
        raise UsageError(f"{caller().name} may not see a source of the name {source}. Choose another name.")
