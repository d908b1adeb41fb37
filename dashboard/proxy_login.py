"""Who is at the other end, as a proxy that asks people says it.

It says so in a header, which is believed from its address alone, or by a token that it signs. Whoever comes otherwise
is refused, on every path and for the web socket too, before Streamlit sees the request. Whom the proxy named goes along
with the connection, in a header of our own.
"""

import asyncio
import ipaddress
from contextlib import nullcontext

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from cxr_core.caller import acting_for
from cxr_core.settings import Settings, settings
from dashboard.logins import NAME
from dashboard.persons import NAMED, named, naming
from dashboard.proxy_token import person_of

#: Paths that are asked by machines beside the proxy; they tell nothing of anybody.
_OPEN = ("/healthz",)
_FOREIGN = "CXR Lab answers its proxy alone (setting proxy_addresses). Open it by the proxy's address.\n"
_NOBODY = "The proxy did not say who you are, or not clearly. Log in there.\n"
_Refusal = tuple[int, str]


class ProxyLogin:
    """Refuses every request and web socket that is not from the proxy, or that does not say who asks."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI asks for it."""
        values = settings()
        is_open = scope["type"] == "http" and scope["path"] in _OPEN
        if scope["type"] not in {"http", "websocket"} or not values.behind_a_proxy or is_open:
            await self._app(scope, receive, send)
            return
        who = await _who(scope, values)
        if isinstance(who, str):
            let_in = {**scope, "headers": _naming(scope, who)}
            # Each drawing of a page asks anew whom it is for: what he may can change while it is open.
            with acting_for(named(who)) if scope["type"] == "http" else nullcontext():
                await self._app(let_in, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await PlainTextResponse(who[1], status_code=who[0])(scope, receive, send)


async def _who(scope: Scope, values: Settings) -> str | _Refusal:
    """Return whom the proxy names, as `naming` writes it, else the status and the words of the refusal."""
    headers = Headers(scope=scope)
    if values.proxy_token_header:
        tokens = headers.getlist(values.proxy_token_header)
        found = await asyncio.to_thread(person_of, tokens[0], values) if len(tokens) == 1 else None
        return naming(*found) if found else (401, _NOBODY)
    if not _is_one_of((scope.get("client") or ("", 0))[0], values.proxy_addresses):
        return 403, _FOREIGN
    names = headers.getlist(values.proxy_user_header)
    return naming(names[0]) if len(names) == 1 and NAME.fullmatch(names[0]) else (401, _NOBODY)


def _naming(scope: Scope, who: str) -> list[tuple[bytes, bytes]]:
    own = NAMED.lower().encode()
    return [*((name, value) for name, value in scope["headers"] if name.lower() != own), (own, who.encode())]


def _is_one_of(address: str, networks: tuple[str, ...]) -> bool:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in ipaddress.ip_network(network, strict=False) for network in networks)
