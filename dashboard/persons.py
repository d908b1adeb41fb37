"""Who uses the dashboard, and what that person may, whichever way he logged in."""

import json
from collections.abc import Mapping, Sequence

from streamlit.runtime.scriptrunner import get_script_run_ctx

from cxr_core.caller import ADMIN, RESEARCHER, VIEWER, Caller
from cxr_core.settings import Settings, settings
from dashboard.logins import Login, login_of

_GROUP = "group:"
_EVERYBODY = "*"
#: Header of our own, which says whom a proxy let in; what a browser or proxy sends under its name does not pass.
NAMED = "X-CXR-Person"
#: Whoever is not known may do no more than look.
NOBODY = Caller("unknown", VIEWER, frozenset())


def session_caller() -> Caller | None:
    """Return who uses the session whose page is drawn now; None where nobody has to log in.

    Without a session, as in a thread of its own, nobody is known, and nobody may do more than look.
    """
    values = settings()
    if not values.asks_who:
        return None
    if get_script_run_ctx(suppress_warning=True) is None:
        return NOBODY
    import streamlit as st

    if values.behind_a_proxy:
        return named(st.context.headers.get(NAMED))
    return logged_in(st.context.cookies) or NOBODY


def naming(name: str, groups: Sequence[str] = ()) -> str:
    """Return what a person is named by in the header `NAMED`, which goes with his connection."""
    return json.dumps([name, *groups])


def named(header: str | None) -> Caller:
    """Return the person that the header `NAMED` says."""
    name, *groups = json.loads(header) if header else [NOBODY.name]
    return person(name, settings(), groups) if header else NOBODY


def logged_in(cookies: Mapping[str, str]) -> Caller | None:
    """Return who logged in by the provider; None where nobody did, or somebody who may not even look."""
    login = login_of(cookies)
    return admitted(login) if login else None


def admitted(login: Login) -> Caller | None:
    """Return the person of a login with his role; None where he is not among those who may look."""
    values = settings()
    found = person(login.name, values, login.groups)
    looks = bool((_names_of(login.name, login.groups) | {_EVERYBODY}) & {*values.auth_viewers})
    return found if looks or found.role != VIEWER else None


def person(name: str, values: Settings, groups: Sequence[str] = ()) -> Caller:
    """Return a person with the role that the settings give: by the whole name, by what follows its `@`, by a group."""
    names = _names_of(name, groups)
    roles = ((ADMIN, values.admins), (RESEARCHER, values.researchers))
    role = next((role for role, those in roles if names & {*those}), VIEWER)
    return Caller(name, role, names)


def _names_of(name: str, groups: Sequence[str]) -> frozenset[str]:
    """Return what settings may call a person; a name that looks like a group's or a domain's is none."""
    folded = name.lower()
    domain = {"@" + folded.rpartition("@")[2]} if "@" in folded[1:] else set()
    own = set() if folded.startswith((_GROUP, "@")) or folded == _EVERYBODY else {folded}
    return frozenset(own | domain | {_GROUP + group.strip().lower() for group in groups})
