"""The OpenID Connect provider that people log in with: what Streamlit is told of it, and what must be there for it."""

import importlib.util
import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from streamlit.runtime.secrets import SecretsValue

from cxr_core.config_text import home_path
from cxr_core.settings import Settings, settings
from cxr_core.workspace import make_folder

SECRET_VARIABLE = "CXR_AUTH_CLIENT_SECRET"
_DISCOVERY = "/.well-known/openid-configuration"
#: Signs the cookies of those who logged in; whoever has it can be anybody.
_KEY = "login.key"
_LIBRARIES = ("authlib", "httpx")


def provider_secrets() -> dict[str, SecretsValue] | None:
    """Return what Streamlit is told of the provider; None where nobody logs in that way."""
    values = settings()
    if not values.auth_provider:
        return None
    return {
        "auth": {
            "redirect_uri": f"{values.auth_address}/oauth2callback",
            "cookie_secret": cookie_key(),
            "client_id": values.auth_client_id,
            "client_secret": client_secret(values),
            "server_metadata_url": values.auth_provider.removesuffix(_DISCOVERY).rstrip("/") + _DISCOVERY,
            "client_kwargs": {"scope": values.auth_scopes, "code_challenge_method": "S256"},
        }
    }


def lacking() -> str:
    """Return why nobody could log in by the provider or the proxy, in a sentence; "" where people can, or need not."""
    values = settings()
    ways = {"[auth] provider": values.auth_provider, "proxy_user_header": values.proxy_user_header}
    ways["proxy_token_header"] = values.proxy_token_header
    if len(named := [name for name, said in ways.items() if said]) > 1:
        return f"There are {len(named)} logins: keep one of {', '.join(named)}."
    return _lacking_of_provider(values) or _lacking_of_token(values)


def _lacking_of_token(values: Settings) -> str:
    if not values.proxy_token_header:
        return ""
    must = (f"proxy_token_{name}" for name in ("keys", "issuer", "audience"))
    if missing := [name for name in must if not getattr(values, name)]:
        return f"There is a proxy_token_header, but no {' and no '.join(missing)} (CXR_{missing[0].upper()})."
    if not importlib.util.find_spec("joserfc"):
        return 'A token of a proxy needs joserfc: pip install "cxr-lab[login]", or -r requirements-login.txt.'
    return ""


def _lacking_of_provider(values: Settings) -> str:
    if not values.auth_provider:
        return ""
    missing = [name for name in ("client_id", "address") if not getattr(values, f"auth_{name}")]
    if missing:
        return f"[auth] has a provider and lacks {' and '.join(missing)} (CXR_AUTH_{missing[0].upper()})."
    if not all(map(importlib.util.find_spec, _LIBRARIES)):
        return 'The login by [auth] needs Authlib: pip install "cxr-lab[login]", or -r requirements-login.txt.'
    if not client_secret(values):
        return f"[auth] has a provider and lacks its secret: name secret_file, or set {SECRET_VARIABLE}."
    return ""


def client_secret(values: Settings) -> str:
    """Return the secret that the provider gave; "" where there is none, or where its file cannot be read."""
    if secret := os.environ.get(SECRET_VARIABLE):
        return secret
    try:
        return home_path(values.auth_secret_file).read_text(encoding="utf-8").strip() if values.auth_secret_file else ""
    except (OSError, ValueError):
        return ""


def own_host(values: Settings) -> tuple[str, ...]:
    """Return the host name under which browsers open a dashboard that people log in to."""
    host = urlsplit(values.auth_address).hostname
    return (host,) if host and values.auth_provider else ()


def cookie_key() -> str:
    """Return the key of the workspace that signs cookies, made when it is asked for first.

    It outlives a restart, and all servers of a workspace have the same.

    Raises:
        OSError: it can be neither read nor made.
    """
    file = settings().home / _KEY
    make_folder(file.parent)
    if not file.exists():
        _made(file)
    return file.read_text(encoding="ascii")


def _made(file: Path) -> None:
    """Write a new key for nobody else to read; of two servers that do so at once, the first one's stays."""
    draft = file.with_name(f"{_KEY}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as written:
            written.write(secrets.token_urlsafe(48))
        if not file.exists():
            os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
