"""A proxy that asks who people are: believed from its address alone; attempts to get past it are refused."""

import asyncio

import pytest

from cxr_core.caller import ADMIN, RESEARCHER, VIEWER, Caller, caller, found_by
from cxr_core.errors import SettingsError
from cxr_core.settings import settings
from dashboard.persons import person, session_caller
from dashboard.proxy_login import ProxyLogin
from dashboard.reach import refusal

PROXY, OTHER = "10.1.2.3", "10.9.9.9"
NAMED = [("x-forwarded-email", "ada@lab.example")]


@pytest.fixture(autouse=True)
def configured(monkeypatch):
    monkeypatch.setenv("CXR_PROXY_USER_HEADER", "X-Forwarded-Email")
    monkeypatch.setenv("CXR_PROXY_ADDRESSES", "10.1.2.0/24, ::1")
    monkeypatch.setenv("CXR_ADMINS", "root@lab.example")
    monkeypatch.setenv("CXR_RESEARCHERS", "@lab.example, Guest@elsewhere.example, carl")


def outcome(headers, address=PROXY, kind="http", path="/train"):
    """The status of the answer, or for a web socket whether it was let in: 101 or 1008."""
    sent = []

    async def page(scope, receive, send):
        accepted = (
            {"type": "websocket.accept"} if kind == "websocket" else {"type": "http.response.start", "status": 200}
        )
        await send(accepted)

    async def receive():
        return {"type": f"{kind}.connect"}

    async def send(message):
        sent.append(message)

    scope = {"type": kind, "path": path, "client": address and (address, 1), "headers": _raw(headers)}
    asyncio.run(ProxyLogin(page)(scope, receive, send))
    first = sent[0]
    return {"websocket.accept": 101, "websocket.close": first.get("code")}.get(first["type"], first.get("status"))


def _raw(headers):
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]


ATTEMPTS = {
    "no header": ([], PROXY),
    "an empty name": ([("x-forwarded-email", "")], PROXY),
    "blanks": ([("x-forwarded-email", "   ")], PROXY),
    "two headers": ([*NAMED, ("x-forwarded-email", "root@lab.example")], PROXY),
    "two names in one": ([("x-forwarded-email", "ada@lab.example,root@lab.example")], PROXY),
    "two names with a blank": ([("x-forwarded-email", "ada root@lab.example")], PROXY),
    "a line break": ([("x-forwarded-email", "ada@lab.example\nroot@lab.example")], PROXY),
    "markup": ([("x-forwarded-email", "<b>root</b>")], PROXY),
    "quotes": ([("x-forwarded-email", '"root"@lab.example')], PROXY),
    "two at signs": ([("x-forwarded-email", "root@lab.example@evil.example")], PROXY),
    "endless": ([("x-forwarded-email", "a" * 500)], PROXY),
    "another header": ([("x-forwarded-user", "root@lab.example")], PROXY),
    "underscores": ([("x_forwarded_email", "root@lab.example")], PROXY),
    "a blank in the name": ([("x-forwarded-email ", "root@lab.example")], PROXY),
    "a cookie": ([("cookie", "x-forwarded-email=root@lab.example")], PROXY),
    "from elsewhere": (NAMED, OTHER),
    "from this machine": (NAMED, "127.0.0.1"),
    "with the proxy's address told": ([*NAMED, ("x-forwarded-for", PROXY)], OTHER),
    "with a forwarded header": ([*NAMED, ("forwarded", f"for={PROXY}")], OTHER),
    "with a real ip told": ([*NAMED, ("x-real-ip", PROXY)], OTHER),
    "from the next network": (NAMED, "10.1.3.3"),
    "from no address": (NAMED, None),
    "from a name": (NAMED, "proxy.lab.example"),
    "from another loopback": (NAMED, "::2"),
    "from a mapped address": (NAMED, f"::ffff:{OTHER}"),
}


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(("headers", "address"), ATTEMPTS.values(), ids=ATTEMPTS)
def test_an_attempt_to_get_past_is_refused(headers, address, kind):
    assert outcome(headers, address, kind) in ((401, 403) if kind == "http" else (1008,))


@pytest.mark.parametrize("path", ["/", "/runs", "/_stcore/stream", "/media/x", "/metrics", "/_stcore/upload_file/a/b"])
def test_no_path_but_healthz_is_open(path):
    assert outcome([], PROXY, path=path) == 401
    assert outcome([], OTHER, path=path) == 403
    assert outcome([], OTHER, path="/healthz") == 200


@pytest.mark.parametrize("address", [PROXY, "10.1.2.255", "::1", f"::ffff:{PROXY}"])
def test_whom_the_proxy_names_is_let_in(address):
    assert outcome(NAMED, address) == 200
    assert outcome(NAMED, address, "websocket") == 101


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("root@lab.example", ADMIN),
        ("ROOT@Lab.example", ADMIN),
        ("ada@lab.example", RESEARCHER),
        ("guest@elsewhere.example", RESEARCHER),
        ("carl", RESEARCHER),
        ("other@elsewhere.example", VIEWER),
        ("carl@evil.example", VIEWER),
        ("ada@lab.example.evil.example", VIEWER),
        ("ada@evil-lab.example", VIEWER),
        ("lab.example", VIEWER),
    ],
)
def test_a_role_is_given_by_the_whole_name_or_the_domain(name, role):
    assert person(name, settings()) == Caller(name, role)


def test_without_a_session_nobody_may_more_than_look():
    assert session_caller() == Caller("unknown", VIEWER)
    found_by(session_caller)
    try:
        assert caller().role == VIEWER
    finally:
        found_by(lambda: None)


def test_where_nobody_has_to_log_in_the_systems_user_acts(monkeypatch):
    monkeypatch.delenv("CXR_PROXY_USER_HEADER")
    assert session_caller() is None
    assert outcome([], OTHER) == 200


def test_behind_a_proxy_it_may_listen_where_others_reach_it(monkeypatch):
    assert refusal("0.0.0.0") == ""
    monkeypatch.setenv("CXR_PROXY_USER_HEADER", "X Forwarded")
    with pytest.raises(SettingsError, match="letters, digits and hyphens"):
        settings()
    monkeypatch.setenv("CXR_PROXY_USER_HEADER", "X-User")
    monkeypatch.setenv("CXR_PROXY_ADDRESSES", "proxy.lab.example")
    with pytest.raises(SettingsError, match="of addresses or networks"):
        settings()
