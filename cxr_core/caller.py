"""On whose behalf something is done, and what that person may: handed in to the engine, which asks before it acts.

On the command line it is the operating system's user, who may what he may; in a run it is who started it, whose right
to it was asked then; behind a login it is who logged in, as the face that serves persons finds.
"""

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from cxr_core.errors import UsageError

#: What a person may: look, compare and take figures along; also train, predict, read and combine; also import, delete
#: and act on other people's runs. Each may what those before may.
VIEWER, RESEARCHER, ADMIN = ROLES = ("viewer", "researcher", "admin")


@dataclass(frozen=True)
class Caller:
    """A person by name, and what he may: one of `ROLES`.

    `names` is what settings may call the person: the name, `@` with its domain, `group:` with each group, all in small
    letters; None for whoever nobody has to name, since the operating system says what he may see.
    """

    name: str
    role: str = ADMIN
    names: frozenset[str] | None = field(default=None, compare=False)


_caller: ContextVar[Caller | None] = ContextVar("caller", default=None)
_finders: list[Callable[[], Caller | None]] = []


def caller() -> Caller:
    """Return who acts in this thread: as handed in, else as the face that serves persons knows, else the user."""
    handed_in = _caller.get()
    if handed_in is not None:
        return handed_in
    found = (find() for find in _finders)
    return next((who for who in found if who), None) or Caller(system_user())


@contextmanager
def acting_for(who: Caller | str) -> Iterator[None]:
    """Let what is done within be done by `who`; a name alone may everything."""
    before = _caller.set(who if isinstance(who, Caller) else Caller(who))
    try:
        yield
    finally:
        _caller.reset(before)


def found_by(find: Callable[[], Caller | None]) -> None:
    """Ask `find` who acts wherever nobody was handed in; it returns None where nobody has to log in."""
    _finders[:] = [find]


def require(role: str, to_do: str) -> None:
    """Raise `UsageError` unless whoever acts may do what takes a role; `to_do` says what, as in "train"."""
    who = caller()
    if ROLES.index(who.role) < ROLES.index(role):
        needed = "an admin" if role == ADMIN else f"a {role}"
        raise UsageError(f"Only {needed} may {to_do}. {who.name} is a {who.role} here. Ask an admin of this server.")


def require_for_run_of(user: str, to_do: str) -> None:
    """Raise `UsageError` unless whoever acts may do it to a run: to his own as a researcher, to others' as an admin."""
    require(RESEARCHER if caller().name == user else ADMIN, f"{to_do} a run of {user}")


def logged_in() -> bool:
    """Say whether whoever acts, or who started the run that does, logged in, and is not the user of this system."""
    who = caller()
    return who.names is not None or who.name != system_user()


def system_user() -> str:
    """Return the name of the user as whom this process runs."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        return "unknown"
