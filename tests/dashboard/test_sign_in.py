"""The door that people pass who logged in by a provider: forged, foreign, old and ended cookies are refused."""

import asyncio
import json
import os
import time
from urllib.parse import quote

import pytest
from itsdangerous import URLSafeSerializer, URLSafeTimedSerializer
from streamlit import config
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from cxr_core.caller import ADMIN, RESEARCHER, VIEWER, Caller, caller
from cxr_core.errors import SettingsError
from cxr_core.settings import settings
from dashboard.logins import FOLDER, end, login_of
from dashboard.persons import logged_in, person
from dashboard.provider import cookie_key, lacking
from dashboard.reach import refusal
from dashboard.sign_in import SignIn

KEY, COOKIE = "k" * 40, "_streamlit_user"
ADDRESS = "https://cxr.lab.example"
ADA = {
    "iss": "https://login.lab.example",
    "aud": "cxr-lab",
    "sub": "1",
    "email": "ada@lab.example",
    "email_verified": True,
    "nonce": "n1",
    "origin": ADDRESS,
    "is_logged_in": True,
    "provider": "default",
}


@pytest.fixture(autouse=True)
def configured(monkeypatch):
    for name, value in {
        "AUTH_PROVIDER": "https://login.lab.example",
        "AUTH_CLIENT_ID": "cxr-lab",
        "AUTH_CLIENT_SECRET": "s3cret",
        "AUTH_ADDRESS": ADDRESS,
        "AUTH_GROUPS_CLAIM": "groups",
        "AUTH_VIEWERS": "@lab.example, group:students",
        "ADMINS": "root@lab.example, group:cxr admins",
        "RESEARCHERS": "group:radiology, guest@elsewhere.example",
    }.items():
        monkeypatch.setenv(f"CXR_{name}", value)
    before = config.get_option("server.cookieSecret")
    config.set_option("server.cookieSecret", KEY)
    yield
    config.set_option("server.cookieSecret", before)


def cookie(claims=ADA, key=KEY, name=COOKIE, **other):
    return create_signed_value(key, name, json.dumps(claims | other)).decode()


def signed_at(moment, monkeypatch, claims=ADA):
    with monkeypatch.context() as patched:
        patched.setattr("itsdangerous.timed.time.time", lambda: moment)
        return cookie(claims)


def visit(cookies, path="/train", kind="http", accept="text/html", messages=(), query=b""):
    """What a browser with these cookies is sent, and who acted where it was let in."""
    sent, acted, waiting = [], [], [{"type": f"{kind}.connect"}, *messages]

    async def page(scope, receive, send):
        acted.append(caller())
        if kind == "http":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"set-cookie", b"a=b; Path=/")]})
            await send({"type": "http.response.body", "body": b""})
            return
        await receive()
        await send({"type": "websocket.accept"})
        for _ in messages:
            acted.append((await receive())["type"])
            await send({"type": "websocket.send", "bytes": b"a page"})

    async def receive():
        message = waiting.pop(0)
        return message() if callable(message) else message

    async def send(message):
        sent.append(message)

    text = "; ".join(f"{name}={value}" for name, value in cookies.items())
    headers = [(b"cookie", text.encode("latin-1")), (b"accept", accept.encode()), (b"host", b"cxr.lab.example")]
    scope = {"type": kind, "path": path, "headers": headers, "query_string": query, "scheme": "https", "method": "GET"}
    asyncio.run(SignIn(page)(scope, receive, send))
    return sent, acted


def status(cookies, **how):
    first = visit(cookies, **how)[0][0]
    return {"websocket.accept": 101, "websocket.close": first.get("code")}.get(first["type"], first.get("status"))


def header(sent, name):
    return [value.decode() for key, value in sent[0]["headers"] if key == name.encode()]


def without(claim):
    return {name: value for name, value in ADA.items() if name != claim}


HOSTILE = {
    "no cookie": lambda: {},
    "an empty cookie": lambda: {COOKIE: ""},
    "the claims without a signature": lambda: {COOKIE: json.dumps(ADA).replace('"', "")},
    "signed with another key": lambda: {COOKIE: cookie(key="x" * 40)},
    "signed with an empty key": lambda: {COOKIE: cookie(key="")},
    "signed for another cookie": lambda: {COOKIE: cookie(name="_streamlit_user_tokens")},
    "signed without a time": lambda: {COOKIE: URLSafeSerializer(KEY, salt=COOKIE).dumps(json.dumps(ADA))},
    "one character changed": lambda: {COOKIE: ("A" if cookie()[0] != "A" else "B") + cookie()[1:]},
    "the claims of one, the signature of another": lambda: {
        COOKIE: ".".join([cookie(email="root@lab.example").rsplit(".", 2)[0], *cookie().rsplit(".", 2)[1:]])
    },
    "under another name": lambda: {"_streamlit_user_1": cookie()},
    "put together of parts": lambda: {
        COOKIE: create_signed_value(KEY, COOKIE, "chunks-1").decode(),
        f"{COOKIE}_1": cookie(name=f"{COOKIE}_1"),
    },
    "for another audience": lambda: {COOKIE: cookie(aud="another-app")},
    "for another audience, authorized for us": lambda: {COOKIE: cookie(aud="another-app", azp="cxr-lab")},
    "for us among others, authorized for another": lambda: {COOKIE: cookie(aud=["cxr-lab", "b"], azp="b")},
    "for nobody": lambda: {COOKIE: cookie(without("aud"))},
    "for a part of our name": lambda: {COOKIE: cookie(aud="cxr")},
    "of another address": lambda: {COOKIE: cookie(origin="https://cxr.evil.example")},
    "of the same host without TLS": lambda: {COOKIE: cookie(origin="http://cxr.lab.example")},
    "not logged in": lambda: {COOKIE: cookie(is_logged_in=False)},
    "logged in by a word": lambda: {COOKIE: cookie(is_logged_in="true")},
    "an e-mail that nobody verified": lambda: {COOKIE: cookie(email_verified=False)},
    "an e-mail of which nothing is said": lambda: {COOKIE: cookie(without("email_verified"))},
    "an e-mail verified by a word": lambda: {COOKIE: cookie(email_verified="true")},
    "without a name": lambda: {COOKIE: cookie(without("email"))},
    "a list of names": lambda: {COOKIE: cookie(email=["ada@lab.example", "root@lab.example"])},
    "two names in one": lambda: {COOKIE: cookie(email="ada@lab.example,root@lab.example")},
    "a line break in the name": lambda: {COOKIE: cookie(email="ada@lab.example\nroot")},
    "markup for a name": lambda: {COOKIE: cookie(email="<b>root@lab.example</b>")},
    "two at signs": lambda: {COOKIE: cookie(email="root@lab.example@lab.example")},
    "a list for claims": lambda: {COOKIE: create_signed_value(KEY, COOKIE, "[1]").decode()},
    "no JSON": lambda: {COOKIE: create_signed_value(KEY, COOKIE, "ada").decode()},
    "signed as a number": lambda: {COOKIE: URLSafeTimedSerializer(KEY, salt=COOKIE).dumps(7)},
    "a header in place of a cookie": lambda: {"x-forwarded-email": "root@lab.example"},
}


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("attempt", HOSTILE.values(), ids=HOSTILE)
def test_an_attempt_to_get_past_the_door_is_refused(attempt, kind):
    cookies = attempt()
    assert status(cookies, kind=kind) == (401 if kind == "http" else 1008)
    assert visit(cookies, kind=kind)[1] == [], "nothing behind the door was asked"
    assert logged_in(cookies) is None


@pytest.mark.parametrize(
    "path", ["/", "/runs", "/_stcore/stream", "/media/x", "/metrics", "/thumbnail", "//auth/login"]
)
def test_no_path_but_those_of_the_login_is_open(path):
    assert status({}, path=path) == 401
    assert status({}, path=path, accept="*/*") == 401


@pytest.mark.parametrize("path", ["/healthz", "/auth/login", "/oauth2callback"])
def test_those_of_the_login_are_open(path):
    assert status({}, path=path) == 200


def test_whoever_logged_in_is_let_in_and_acts_under_his_own_name():
    sent, acted = visit({COOKIE: cookie()})
    assert sent[0]["status"] == 200
    assert acted == [Caller("ada@lab.example", VIEWER)]
    assert status({COOKIE: cookie()}, kind="websocket") == 101
    assert status({COOKIE: cookie(aud=["other", "cxr-lab"], azp="cxr-lab")}) == 200


@pytest.mark.parametrize(
    ("said", "role"),
    [
        ({"email": "Root@LAB.example"}, ADMIN),
        ({"groups": ["x", "CXR admins"]}, ADMIN),
        ({"groups": "radiology"}, RESEARCHER),
        ({"email": "guest@elsewhere.example"}, RESEARCHER),
        ({"groups": ["students"], "email": "x@y.example"}, VIEWER),
        ({"groups": ["radiology2", {"radiology": 1}, 3]}, VIEWER),
        ({"groups": {"radiology": True}}, VIEWER),
        ({"roles": ["cxr admins"]}, VIEWER),
        ({"email": "a@b.lab.example"}, None),
        ({"email": "a@evil-lab.example"}, None),
        ({"email": "group:radiology"}, None),
        ({"email": "*"}, None),
        ({"groups": ["group:students"], "email": "x@y.example"}, None),
    ],
)
def test_a_role_is_given_by_name_domain_or_group(said, role):
    found = logged_in({COOKIE: cookie(**said)})
    assert (found and found.role) == role


def test_a_proxy_cannot_name_somebody_a_group():
    assert person("group:radiology", settings()).role == VIEWER


def test_somebody_who_may_not_look_is_told_so_and_can_log_in_as_somebody_else():
    sent, acted = visit({COOKIE: cookie(email="eve@elsewhere.example")})
    assert (sent[0]["status"], acted) == (403, [])
    body = sent[1]["body"].decode()
    assert "eve@elsewhere.example is not among those who may look here" in body
    assert 'href="/auth/logout"' in body
    assert status({COOKIE: cookie(email="eve@elsewhere.example")}, kind="websocket") == 1008


def test_everybody_whom_the_provider_lets_in_may_look_only_where_that_is_said(monkeypatch):
    assert logged_in({COOKIE: cookie(email="eve@elsewhere.example")}) is None
    monkeypatch.setenv("CXR_AUTH_VIEWERS", "*")
    assert logged_in({COOKIE: cookie(email="eve@elsewhere.example")}) == Caller("eve@elsewhere.example", VIEWER)


def test_a_log_out_ends_the_login_for_a_copy_of_its_cookie_too():
    mine, other = {COOKIE: cookie()}, {COOKIE: cookie(nonce="n2")}
    assert status(mine, path="/auth/logout") == 200
    assert status(mine) == 401
    assert status(mine, kind="websocket") == 1008
    assert status(other) == 200, "the same person's other login goes on"


def test_a_page_that_is_open_ends_with_its_login():
    mine, login = {COOKIE: cookie()}, login_of({COOKIE: cookie()})
    click = {"type": "websocket.receive", "bytes": BackMsg(rerun_script={"page_name": "a"}).SerializeToString()}
    sent, acted = visit(mine, kind="websocket", messages=[click, lambda: end(login) or click])
    assert acted[1:] == ["websocket.receive", "websocket.disconnect"]
    assert [message["type"] for message in sent] == ["websocket.accept", "websocket.send", "websocket.close"]
    assert sent[-1]["code"] == 1008


def test_a_login_ends_after_its_hours_whatever_was_clicked(monkeypatch):
    monkeypatch.setenv("CXR_AUTH_IDLE_MINUTES", "43200")
    now = time.time()
    assert status({COOKIE: signed_at(now - 11.9 * 3600, monkeypatch)}) == 200
    assert status({COOKIE: signed_at(now - 12.1 * 3600, monkeypatch)}) == 401
    assert status({COOKIE: signed_at(now + 600, monkeypatch)}) == 401, "signed by a clock that runs ahead"


def test_a_login_that_is_left_alone_ends_and_a_click_keeps_it(monkeypatch, workspace):
    assert status({COOKIE: signed_at(time.time() - 61 * 60, monkeypatch)}) == 401
    kept = {COOKIE: signed_at(time.time() - 59 * 60, monkeypatch)}
    assert status(kept) == 200
    (file,) = (workspace / FOLDER).iterdir()
    assert time.time() - file.stat().st_mtime < 60, "the click counts"
    assert file.stat().st_mode & 0o077 == 0
    older = {COOKIE: signed_at(time.time() - 300 * 60, monkeypatch)}
    assert status(older) == 200, "it began long ago, and the last click is fresh"
    os.utime(file, (1, time.time() - 61 * 60))
    assert status(older) == 401


def test_what_draws_itself_anew_is_no_click(monkeypatch, workspace):
    mine = {COOKIE: signed_at(time.time() - 59 * 60, monkeypatch)}
    redraw = BackMsg(rerun_script={"is_auto_rerun": True}).SerializeToString()
    visit(mine, kind="websocket", messages=[{"type": "websocket.receive", "bytes": redraw}])
    visit(mine, path="/thumbnail", accept="image/webp")
    assert not (workspace / FOLDER).exists()
    click = BackMsg(rerun_script={"page_name": "a"}).SerializeToString()
    visit(mine, kind="websocket", messages=[{"type": "websocket.receive", "bytes": click}])
    assert len(list((workspace / FOLDER).iterdir())) == 1


def test_the_way_to_the_provider_leads_back_to_the_page_that_was_asked_for():
    sent, _ = visit({}, path="/evaluate", query=b"model=a&label=Edema")
    assert 'href="/login?next=%2Fevaluate%3Fmodel%3Da%26label%3DEdema"' in sent[1]["body"].decode()
    sent, _ = visit({}, path="/login", query=b"next=%2Fevaluate%3Fmodel%3Da%26label%3DEdema")
    assert header(sent, "location")[0].startswith("/auth/login?provider=")
    (kept,) = header(sent, "set-cookie")
    assert {"HttpOnly", "Secure", "SameSite=lax"} <= {*kept.split("; ")}
    back = kept.split(";")[0].removeprefix("cxr_back=")
    sent, _ = visit({COOKIE: cookie(), "cxr_back": back}, path="/")
    assert header(sent, "location") == ["/evaluate?model=a&label=Edema"]


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.example", "/\\evil.example", "https://evil.example", "/a\\b", "/\t/evil.example", "/a\r\nb", "evil", ""],
)
def test_the_way_back_leads_nowhere_else(elsewhere):
    sent, _ = visit({}, path="/login", query=b"next=" + quote(elsewhere).encode())
    assert header(sent, "set-cookie") == []
    sent, _ = visit({COOKIE: cookie(), "cxr_back": quote(elsewhere)}, path="/")
    assert sent[0]["status"] == 200


def test_cookies_travel_over_tls_alone():
    sent, _ = visit({COOKIE: cookie()})
    assert header(sent, "set-cookie") == ["a=b; Path=/; Secure"]


def test_the_key_of_a_workspace_outlives_a_restart_and_is_its_owners_alone(workspace):
    key = cookie_key()
    assert len(key) >= 64
    assert cookie_key() == key
    assert (workspace / "login.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in workspace.iterdir()] == ["login.key"]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("AUTH_CLIENT_ID", "", "lacks client_id (CXR_AUTH_CLIENT_ID)"),
        ("AUTH_ADDRESS", "", "lacks address (CXR_AUTH_ADDRESS)"),
        ("AUTH_CLIENT_SECRET", "", "lacks its secret: name secret_file, or set CXR_AUTH_CLIENT_SECRET"),
        ("PROXY_USER_HEADER", "X-User", "There are 2 logins"),
    ],
)
def test_a_login_that_cannot_work_is_told_before_the_dashboard_starts(monkeypatch, name, value, words):
    assert lacking() == ""
    assert refusal("0.0.0.0") == ""
    monkeypatch.setenv(f"CXR_{name}", value)
    assert words in lacking()


def test_without_authlib_a_login_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert 'pip install "cxr-lab[login]"' in lacking()


def test_the_secret_may_lie_in_a_file_and_not_in_the_settings(monkeypatch, tmp_path):
    monkeypatch.delenv("CXR_AUTH_CLIENT_SECRET")
    (tmp_path / "secret").write_text("s3cret\n")
    monkeypatch.setenv("CXR_AUTH_SECRET_FILE", str(tmp_path / "secret"))
    assert lacking() == ""
    (tmp_path / "cxr.toml").write_text("[auth]\nclient_secret = 's3cret'\n")
    with pytest.raises(SettingsError, match=r"unknown setting 'client_secret' in \[auth\]"):
        settings()


@pytest.mark.parametrize(
    "provider", ["http://login.lab.example", "login.lab.example", "https://", "ftp://a", "https://a:x"]
)
def test_a_provider_that_is_reached_without_tls_is_refused(monkeypatch, provider):
    monkeypatch.setenv("CXR_AUTH_PROVIDER", provider)
    with pytest.raises(SettingsError, match="CXR_AUTH_PROVIDER must be a text the https:// address"):
        settings()


@pytest.mark.parametrize(
    "address", ["http://cxr.example", "https://cxr.example/", "https://CXR.example", "https://a?b"]
)
def test_an_address_is_an_origin_as_browsers_write_it(monkeypatch, address):
    monkeypatch.setenv("CXR_AUTH_ADDRESS", address)
    with pytest.raises(SettingsError, match="CXR_AUTH_ADDRESS must be"):
        settings()


def test_where_nobody_logs_in_the_door_is_open(monkeypatch):
    monkeypatch.delenv("CXR_AUTH_PROVIDER")
    assert status({}) == 200
    assert lacking() == ""
