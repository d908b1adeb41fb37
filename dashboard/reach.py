"""Who can reach the dashboard: other machines only where somebody said so by name, as it asks nobody who they are."""

import ipaddress

from cxr_core.settings import settings, who_may_see

_REFUSED = (
    "The dashboard would listen on {address}, where other machines reach it, and whoever does could do everything. "
    "Set CXR_ADDRESS=127.0.0.1, or let people log in (CXR_AUTH_PROVIDER, or CXR_PROXY_USER_HEADER or "
    "CXR_PROXY_TOKEN_HEADER where a proxy asks who they are), or, if that is meant, CXR_WITHOUT_LOGIN=true."
)
_SEEN_BY_ALL = (
    "[who_may_see] names persons, and nobody would have to say who he is: everybody would see every source. "
    "Let people log in, or take the table out."
)


def refusal(address: str) -> str:
    """Return why the dashboard does not start when it would listen on an address; "" where it may."""
    values = settings()
    if is_loopback(address) or values.asks_who:
        return ""
    if values.without_login:
        return _SEEN_BY_ALL if who_may_see() else ""
    return _REFUSED.format(address=address or "every address")


def is_loopback(address: str) -> bool:
    """Say whether only this machine reaches an address; a name other than localhost may lead anywhere."""
    if address.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False
