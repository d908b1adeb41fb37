"""What the browser is told about every page: where it may fetch from, and who may show the page in a frame.

Whatever text comes onto a page, a picture or a style in it is fetched from nowhere but the dashboard itself: what
somebody else wrote into a table cannot tell them that it was looked at. No foreign page may lay itself over ours.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Streamlit styles its elements in place, and its charts compile what they draw.
_POLICY = (
    "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; connect-src 'self' ws: wss: data: blob:; "
    "form-action 'self'; base-uri 'self'; object-src 'none'; frame-ancestors 'self'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class BrowserRules:
    """Adds the rules to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI asks for it."""

        async def send_with_rules(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_rules if scope["type"] == "http" else send)
