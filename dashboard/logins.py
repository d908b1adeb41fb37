"""Who is logged in by the provider: as the signed cookie says, as long as it holds.

Streamlit signs what the provider said and leaves it to the browser for 30 days, whoever copies it, and after a log-out
too. So the workspace has a small file for each login, named by a digest of the cookie: its time is that of the last
click, and a word in it says that the person logged out. A login without a file begins when its cookie was signed.
"""

import contextlib
import hashlib
import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from cxr_core.atomic import write_text
from cxr_core.settings import Settings, settings
from cxr_core.workspace import make_folder

FOLDER = "logins"
#: What can stand for a person: no blanks, no separators, no markup.
NAME = re.compile(r"[^\s,;\"'<>@]{1,64}(@[A-Za-z0-9.-]{1,190})?")
#: The time of the last click is written no more often than that.
_WRITTEN_EVERY = 20.0
_CLOCK_AHEAD = 60.0
_ENDED = "logged out"


@dataclass(frozen=True)
class Login:
    """What the provider said of a person who logged in."""

    name: str
    groups: tuple[str, ...]
    digest: str
    began: float


def login_of(cookies: Mapping[str, str]) -> Login | None:
    """Return the login of a browser by its cookies; None where there is none, or where it has ended."""
    values = settings()
    found = _told(cookies.get(USER_COOKIE_NAME, ""), values)
    return found if found and holds(found) else None


def holds(login: Login) -> bool:
    """Say whether a login has neither ended by a log-out, nor grown too old, nor been left alone for too long."""
    values, now = settings(), time.time()
    try:
        stat = _file(login).stat()
    except OSError:
        ended, seen = False, login.began
    else:
        ended, seen = stat.st_size > 0, max(login.began, stat.st_mtime)
    young = -_CLOCK_AHEAD < now - login.began < values.auth_hours * 3600
    return not ended and young and now - seen < values.auth_idle_minutes * 60


def clicked(login: Login) -> None:
    """Keep that a person did something just now."""
    file = _file(login)
    with contextlib.suppress(OSError):  # a full disk or a medium that is read alone: the login ends sooner, that is all
        if not file.exists():
            make_folder(file.parent)
            file.touch(mode=0o600)
            _drop_old_files(file.parent)
        elif time.time() - file.stat().st_mtime > _WRITTEN_EVERY:
            os.utime(file)


def end(login: Login) -> None:
    """End a login for good, for whoever has a copy of its cookie too."""
    make_folder(_file(login).parent)
    write_text(_file(login), _ENDED)


def _told(cookie: str, values: Settings) -> Login | None:
    """Return what a cookie that we signed tells; one that the browser had to split is not put together.

    Parts are signed one by one: those of two logins could be put together to a third that nobody had.
    """
    try:
        text, signed = _serializer().loads(cookie, max_age=int(values.auth_hours * 3600) + 1, return_timestamp=True)
        claims = json.loads(text)
    except (BadData, ValueError, TypeError):
        return None
    if not isinstance(claims, dict) or not _is_meant_for_us(claims, values):
        return None
    name = _name(claims, values)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Login(name, _groups(claims, values), digest, signed.timestamp()) if name else None


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(get_cookie_secret(), salt=USER_COOKIE_NAME)


def _is_meant_for_us(claims: dict[str, Any], values: Settings) -> bool:
    """Say whether the provider named this dashboard as the audience, as OpenID Connect Core 3.1.3.7 asks (3., 5.).

    Authlib is content with `azp` where the audience is somebody else.
    """
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    return (
        values.auth_client_id in audiences
        and claims.get("azp") in (None, values.auth_client_id)
        and claims.get("is_logged_in") is True
        and claims.get("origin") == values.auth_address
    )


def _name(claims: dict[str, Any], values: Settings) -> str:
    name = claims.get(values.auth_name_claim)
    verified = values.auth_name_claim != "email" or claims.get("email_verified") is True
    return name if isinstance(name, str) and NAME.fullmatch(name) and verified else ""


def _groups(claims: dict[str, Any], values: Settings) -> tuple[str, ...]:
    said = claims.get(values.auth_groups_claim) if values.auth_groups_claim else None
    listed = said if isinstance(said, list) else [said]
    return tuple(group for group in listed if isinstance(group, str))


def _file(login: Login) -> Path:
    return settings().home / FOLDER / login.digest


def _drop_old_files(folder: Path) -> None:
    """Drop the files of logins whose cookies are too old by themselves."""
    oldest = time.time() - settings().auth_hours * 3600 - _CLOCK_AHEAD
    for file in folder.iterdir():
        if file.stat().st_mtime < oldest:
            file.unlink(missing_ok=True)
