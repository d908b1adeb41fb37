"""A token that a proxy signs for each request, and what it says of a person: as Google's IAP or Cloudflare Access do.

It counts where a key of the proxy signed it by ES256 or RS256, and where issuer, audience and time are as they must be
(RFC 7519, 4.1; RFC 8725, 3.1). The keys are fetched where the proxy shows them, again once a token names one that is
not among them, and no more often than every minute: what strangers send asks nobody anything.
"""

import json
import threading
import time
import urllib.request
from collections.abc import Sequence
from typing import Any

from cxr_core.config_text import home_path
from cxr_core.settings import Settings
from cxr_core.stamps import file_stamp
from dashboard.logins import NAME

ALGORITHMS = ("ES256", "RS256")
_LONGEST = 16_000
_MOST_KEYS_BYTES = 1_000_000
_FETCH_SECONDS = 5.0
_BETWEEN_FETCHES = 60.0
_LEEWAY_SECONDS = 30


def person_of(token: str, values: Settings) -> tuple[str, tuple[str, ...]] | None:
    """Return the name and the groups of the person that a token is about; None where it does not count."""
    from joserfc import jwt
    from joserfc.errors import JoseError

    if len(token) > _LONGEST or token.count(".") != 2:
        return None
    try:
        claims = _signed_by_a_key(token, values)
        must = {"iss": values.proxy_token_issuer, "aud": values.proxy_token_audience}
        rules: dict[str, Any] = {name: {"essential": True, "value": value} for name, value in must.items()}
        jwt.JWTClaimsRegistry(leeway=_LEEWAY_SECONDS, exp={"essential": True}, **rules).validate(claims)
    except (JoseError, ValueError, TypeError, KeyError, OSError):
        return None
    name, said = claims.get(values.proxy_token_claim), claims.get(values.proxy_token_groups_claim)
    if not isinstance(name, str) or not NAME.fullmatch(name):
        return None
    if values.proxy_token_claim == "email" and claims.get("email_verified") is False:
        return None
    return name, tuple(group for group in (said if isinstance(said, list) else [said]) if isinstance(group, str))


def _signed_by_a_key(token: str, values: Settings) -> dict[str, Any]:
    """Return the claims of a token; raises what `joserfc` does where no key of the proxy signed it."""
    from joserfc import jwt
    from joserfc.errors import JoseError

    try:
        return dict(jwt.decode(token, _KEYS.of(values.proxy_token_keys), algorithms=[*ALGORITHMS]).claims)
    except (JoseError, ValueError):
        if not _KEYS.fetched_anew(values.proxy_token_keys):
            raise
        return dict(jwt.decode(token, _KEYS.of(values.proxy_token_keys), algorithms=[*ALGORITHMS]).claims)


class _Keys:
    """The proxy's public keys, as a file or an address shows them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: tuple[str, Any, Any] | None = None
        self._fetched = float("-inf")

    def of(self, place: str) -> Any:
        """Return the keys that were found last; those of a file as they are now."""
        stamp = None if "://" in place else file_stamp(home_path(place))
        with self._lock:
            if self._known is None or self._known[:2] != (place, stamp):
                self._find(place, stamp)
            assert self._known is not None
            return self._known[2]

    def fetched_anew(self, place: str) -> bool:
        """Fetch the keys once more, unless that was done a moment ago; say whether it was done."""
        if "://" not in place:
            return False
        with self._lock:
            if time.monotonic() - self._fetched < _BETWEEN_FETCHES:
                return False
            self._find(place, None)
            return True

    def _find(self, place: str, stamp: Any) -> None:
        from joserfc.jwk import KeySet

        if "://" in place:
            if self._known is None and time.monotonic() - self._fetched < 1:
                raise OSError("the keys could not be fetched a moment ago")
            self._fetched = time.monotonic()
        self._known = place, stamp, KeySet.import_key_set({"keys": _public(json.loads(_read(place))["keys"])})


def _public(keys: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the keys that can check a signature and sign nothing: a secret one would be everybody's."""
    return [key for key in keys if key.get("kty") in ("RSA", "EC") and "d" not in key]


def _read(place: str) -> bytes:
    if "://" not in place:
        return home_path(place).read_bytes()
    with urllib.request.urlopen(place, timeout=_FETCH_SECONDS) as answer:
        found: bytes = answer.read(_MOST_KEYS_BYTES)
    return found


_KEYS = _Keys()
