"""The settings of a proxy that asks who people are: a header from its address, or a token that it signs."""

import ipaddress
import re

from cxr_core.auth_rows import is_protected
from cxr_core.setting import Setting, host_names

_HEADER = re.compile(r"[A-Za-z0-9-]*")


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


PROXY: tuple[Setting, ...] = (
    Setting(
        "proxy_user_header",
        "",
        "Header in which a proxy that asks who people are names a person, as X-Forwarded-Email; empty: nobody logs in. "
        "The proxy must take the header out of what browsers send.",
        lambda value: _HEADER.fullmatch(value) is not None,
        "of letters, digits and hyphens",
    ),
    Setting(
        "proxy_addresses",
        "127.0.0.1,::1",
        "Addresses or networks, separated by commas, of that proxy: the header is believed from there, and whoever "
        "comes from elsewhere is refused.",
        lambda value: all(map(_is_network, host_names(value))),
        "of addresses or networks, separated by commas",
    ),
    Setting(
        "proxy_token_header",
        "",
        "Header with a token (JWT) in which a proxy says who a person is and which it signs, as "
        "X-Goog-IAP-JWT-Assertion or Cf-Access-Jwt-Assertion; in place of `proxy_user_header`, and believed from every "
        "address. Empty: there is none.",
        lambda value: _HEADER.fullmatch(value) is not None,
        "of letters, digits and hyphens",
    ),
    Setting(
        "proxy_token_keys",
        "",
        "Public keys (JWKS) by which that token is checked: the https:// address where they are shown, or a file.",
        lambda value: "://" not in value or is_protected(value),
        "the https:// address of keys, or a file",
    ),
    Setting("proxy_token_issuer", "", "Who must have issued that token: its claim `iss`."),
    Setting("proxy_token_audience", "", "For whom that token must be: its claim `aud`."),
    Setting(
        "proxy_token_claim",
        "email",
        "What of that token names a person.",
        lambda value: bool(value.strip()),
        "the name of a claim",
    ),
    Setting(
        "proxy_token_groups_claim",
        "",
        "What of that token lists a person's groups; group:NAME in `admins`, `researchers` and `[who_may_see]` means "
        "those of it.",
    ),
)
