"""The names under which the dashboard answers.

A page of a foreign site can let its own name point at this machine (DNS rebinding): what it then sends comes from the
user's browser, names itself as host and origin, and would be served like any other. So only names are answered to that
nobody else can have: the address, this machine's own names and addresses where all are listened on, and those of the
setting `hosts`. Streamlit checks web sockets by its option `server.allowedHosts`; here every request is.
"""

import socket
from collections.abc import Sequence

import psutil
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

LOOPBACK = ("127.0.0.1", "localhost", "::1")
#: Addresses that stand for every one of this machine's.
EVERY_ADDRESS = ("0.0.0.0", "::")

_REFUSED = (
    "CXR Lab does not answer under this name. Open it by the address that it told when it started, or add the name to "
    "the setting hosts (CXR_HOSTS).\n"
)


def known_hosts(address: str, further: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the host names, without port, under which a dashboard that listens on `address` is reached."""
    own = _of_this_machine() if address in EVERY_ADDRESS else (address.lower(),)
    loopback = LOOPBACK if address in (*LOOPBACK, *EVERY_ADDRESS) else ()
    return tuple(dict.fromkeys([*loopback, *own, *further]))


def _of_this_machine() -> tuple[str, ...]:
    families = (socket.AF_INET, socket.AF_INET6)
    found = [one for addresses in psutil.net_if_addrs().values() for one in addresses if one.family in families]
    return (socket.gethostname().lower(), *(one.address.partition("%")[0] for one in found))


class KnownHosts:
    """Refuses every request and web socket whose `Host` is not one of `server.allowedHosts`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI asks for it."""
        if scope["type"] not in {"http", "websocket"} or is_host_allowed(Headers(scope=scope).get("host")):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await PlainTextResponse(_REFUSED, status_code=403)(scope, receive, send)
