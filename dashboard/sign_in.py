"""The door of a dashboard that people log in to by a provider: whoever did not is shown where, and nothing else.

It stands before Streamlit, for every path and for the web socket, and asks again with every click: a login that ended
ends the pages that are open, too.
"""

from html import escape
from urllib.parse import quote, unquote, urlencode

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.auth_util import encode_provider_token
from streamlit.proto.BackMsg_pb2 import BackMsg

from cxr_core.caller import Caller, acting_for
from cxr_core.settings import settings
from dashboard.logins import Login, clicked, end, holds, login_of
from dashboard.persons import NOBODY, admitted

#: Asked by machines; tells nothing of anybody.
_WELL = "/healthz"
_LOG_IN, _LOG_OUT = "/login", "/auth/logout"
#: Streamlit's own, which lead to the provider and back.
_ON_THE_WAY = ("/auth/login", "/oauth2callback")
_BACK, _NEXT = "cxr_back", "next"
_LONGEST = 2000
_POLICY_VIOLATION = 1008
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Log in · CXR Lab</title>
<meta name="viewport" content="width=device-width">
<style>
:root{{color-scheme:light dark}}
body{{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1.5rem}}
h1{{font-size:1.6rem}}
a{{display:inline-block;padding:.5rem 1rem;border:1px solid #8894a0;border-radius:.4rem;background:#22303f;color:#fff}}
a{{text-decoration:none}}
a:focus-visible{{outline:3px solid #4c8dd6;outline-offset:2px}}
</style></head>
<body><main><h1>{title}</h1><p>{text}</p><p><a href="{link}">{words}</a></p></main></body></html>
"""


class SignIn:
    """Lets in whoever logged in by the provider and may look; everybody where the settings name no provider."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI asks for it."""
        if scope["type"] not in {"http", "websocket"} or not settings().auth_provider:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self._request(scope, receive, _secured(send))

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, path = HTTPConnection(scope), scope["path"]
        if path == _WELL or path in _ON_THE_WAY:
            await self._app(scope, receive, send)
            return
        login = login_of(request.cookies)
        who = admitted(login) if login else None
        if answer := _answer(request, login, who):
            await answer(scope, receive, send)
            return
        if login and path == _LOG_OUT:
            end(login)
        elif login and _wants_a_page(request):
            clicked(login)
        with acting_for(who or NOBODY):
            await self._app(scope, receive, send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        login = login_of(HTTPConnection(scope).cookies)
        if login is None or admitted(login) is None:
            await receive()
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
        door = _Door(login, receive, send)
        await self._app(scope, door.receive, door.send)


class _Door:
    """An open page: what is sent passes as long as the login holds."""

    def __init__(self, login: Login, receive: Receive, send: Send) -> None:
        self._login, self._receive, self._send = login, receive, send
        self._closed = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] != "websocket.receive":
            return message
        if not holds(self._login) or admitted(self._login) is None:
            await self.send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            self._closed = True
            return {"type": "websocket.disconnect", "code": _POLICY_VIOLATION}
        if _is_a_click(message.get("bytes") or b""):
            clicked(self._login)
        return message

    async def send(self, message: Message) -> None:
        if not self._closed:
            await self._send(message)


def _is_a_click(message: bytes) -> bool:
    """Say whether a person did something, and no page that draws itself anew now and then."""
    said = BackMsg()
    try:
        said.ParseFromString(message)
    except ValueError:  # Streamlit refuses it
        return False
    return not said.rerun_script.is_auto_rerun


def _answer(request: HTTPConnection, login: Login | None, who: Caller | None) -> Response | None:
    """Return what is answered in place of a page; None where the page may come."""
    path = request.scope["path"]
    if path == _LOG_IN:
        return _to_the_provider(request)
    if login and path == _LOG_OUT:
        return None
    if login is None:
        return _refused(
            request, 401, "CXR Lab", "Log in to see the data of this server.", _log_in_link(request), "Log in"
        )
    if who is None:
        text = f"{login.name} is not among those who may look here. Ask an admin of this server."
        return _refused(request, 403, "Not for you yet", text, _LOG_OUT, "Log in as somebody else")
    return _way_back(request) if path == "/" else None


def _refused(request: HTTPConnection, status: int, title: str, text: str, link: str, words: str) -> Response:
    if not _wants_a_page(request):
        return PlainTextResponse(f"{text}\n", status)
    page = _PAGE.format(title=escape(title), text=escape(text), link=escape(link), words=escape(words))
    return HTMLResponse(page, status, headers={"Cache-Control": "no-store"})


def _wants_a_page(request: HTTPConnection) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _log_in_link(request: HTTPConnection) -> str:
    """Return the address that logs in and leads back to what was asked for."""
    asked = request.scope["path"] + (f"?{request.url.query}" if request.url.query else "")
    return f"{_LOG_IN}?{urlencode({_NEXT: asked})}" if asked != "/" and _is_ours(asked) else _LOG_IN


def _to_the_provider(request: HTTPConnection) -> Response:
    answer = RedirectResponse(f"/auth/login?provider={encode_provider_token('default')}", 302)
    back = request.query_params.get(_NEXT, "")
    if _is_ours(back):
        answer.set_cookie(_BACK, quote(back), max_age=600, httponly=True, samesite="lax")
    return answer


def _way_back(request: HTTPConnection) -> Response | None:
    """Return the way to the page that somebody wanted before he logged in; None where that is the start page."""
    back = unquote(request.cookies.get(_BACK, ""))
    if not _is_ours(back):
        return None
    answer = RedirectResponse(back, 302)
    answer.delete_cookie(_BACK)
    return answer


def _is_ours(address: str) -> bool:
    """Say whether an address is a path of this dashboard, and leads nowhere else however a browser reads it."""
    begins = address.startswith("/") and not address.startswith(("//", "/\\", _LOG_IN, "/auth/", "/oauth2callback"))
    return begins and len(address) <= _LONGEST and address.isprintable() and "\\" not in address


def _secured(send: Send) -> Send:
    """Let cookies travel over https alone where the dashboard is reached by it; Streamlit leaves that out."""
    if not settings().auth_address.startswith("https://"):
        return send

    async def send_secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            cookies = headers.getlist("set-cookie")
            del headers["set-cookie"]
            for cookie in cookies:
                headers.append("set-cookie", cookie if "; secure" in cookie.lower() else f"{cookie}; Secure")
        await send(message)

    return send_secured
