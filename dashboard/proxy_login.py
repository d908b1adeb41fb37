"""Who is at the other end, as a proxy that asks them says in a header: believed only from the proxy's own address.

Whoever comes otherwise is refused, on every path and for the web socket too, before Streamlit sees the request.
"""

import ipaddress

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from cxr_core.caller import Caller, acting_for
from cxr_core.settings import Settings, settings
from dashboard.logins import NAME
from dashboard.persons import NOBODY, person

#: Paths that are asked by machines beside the proxy; they tell nothing of anybody.
_OPEN = ("/healthz",)
_FOREIGN = "CXR Lab answers its proxy alone (setting proxy_addresses). Open it by the proxy's address.\n"
_NOBODY = "The proxy did not say who you are, or not clearly. Log in there.\n"


class ProxyLogin:
    """Refuses every request and web socket that is not from the proxy, or that does not say who asks."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI asks for it."""
        values = settings()
        if scope["type"] not in {"http", "websocket"} or not values.proxy_user_header:
            await self._app(scope, receive, send)
            return
        refused = _refusal(scope, values)
        if refused is None and scope["type"] == "http":
            with acting_for(_who(scope, values)):
                await self._app(scope, receive, send)
        elif refused is None:  # each drawing of its page asks who it is for
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await PlainTextResponse(refused[1], status_code=refused[0])(scope, receive, send)


def _refusal(scope: Scope, values: Settings) -> tuple[int, str] | None:
    if scope["type"] == "http" and scope["path"] in _OPEN:
        return None
    peer = scope.get("client") or ("", 0)
    if not _is_one_of(peer[0], values.proxy_addresses):
        return 403, _FOREIGN
    named = Headers(scope=scope).getlist(values.proxy_user_header)
    return None if len(named) == 1 and NAME.fullmatch(named[0]) else (401, _NOBODY)


def _who(scope: Scope, values: Settings) -> Caller:
    """Return the person that the proxy names; on a path that is open to machines nobody has to be."""
    name = Headers(scope=scope).get(values.proxy_user_header)
    return person(name, values) if name and scope["path"] not in _OPEN else NOBODY


def _is_one_of(address: str, networks: tuple[str, ...]) -> bool:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in ipaddress.ip_network(network, strict=False) for network in networks)
