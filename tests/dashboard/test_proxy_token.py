"""A token that a proxy signs, as Google's IAP does: forged, foreign and old ones are refused, and so is their absence."""

import asyncio
import base64
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from cxr_core.caller import ADMIN, RESEARCHER, VIEWER, caller
from cxr_core.errors import SettingsError
from cxr_core.settings import settings
from dashboard import proxy_token
from dashboard.persons import NAMED, named
from dashboard.provider import lacking
from dashboard.proxy_login import ProxyLogin
from dashboard.reach import refusal

HEADER, ISSUER, AUDIENCE = "X-Goog-IAP-JWT-Assertion", "https://cloud.google.com/iap", "/projects/1/services/2"
OWN, OLDER = ECKey.generate_key("P-256", {"kid": "a"}), RSAKey.generate_key(2048, {"kid": "b"})
FOREIGN, SECRET = ECKey.generate_key("P-256", {"kid": "a"}), OctKey.import_key("k" * 32, {"kid": "c"})


def key_set(*keys):
    return json.dumps({"keys": [key.as_dict(private=isinstance(key, OctKey)) for key in keys]})


@pytest.fixture(autouse=True)
def configured(tmp_path, monkeypatch):
    monkeypatch.setattr(proxy_token, "_KEYS", proxy_token._Keys())
    file = tmp_path / "keys.json"
    file.write_text(key_set(OWN, OLDER, SECRET))
    for name, value in {
        "PROXY_TOKEN_HEADER": HEADER,
        "PROXY_TOKEN_KEYS": str(file),
        "PROXY_TOKEN_ISSUER": ISSUER,
        "PROXY_TOKEN_AUDIENCE": AUDIENCE,
        "PROXY_TOKEN_GROUPS_CLAIM": "groups",
        "ADMINS": "root@lab.example",
        "RESEARCHERS": "group:radiology",
    }.items():
        monkeypatch.setenv(f"CXR_{name}", value)
    return file


def claims(**other):
    now = int(time.time())
    usual = {"iss": ISSUER, "aud": AUDIENCE, "sub": "1", "email": "ada@lab.example", "iat": now, "exp": now + 600}
    return {name: value for name, value in (usual | other).items() if value is not None}


def token(key=OWN, algorithm="ES256", kid="a", **other):
    return jwt.encode({"alg": algorithm, "kid": kid}, claims(**other), key, algorithms=[algorithm])


def part(said):
    return base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()


def with_a_secret(secret):
    """A token whose signature is an HMAC, as by HS256 (RFC 7515, A.1)."""
    told = f"{part({'alg': 'HS256', 'kid': 'a'})}.{part(claims())}"
    seal = hmac.new(secret, told.encode(), hashlib.sha256).digest()
    return f"{told}.{base64.urlsafe_b64encode(seal).rstrip(b'=').decode()}"


def visit(headers, kind="http", path="/train", address="203.0.113.9"):
    """The status of the answer (101 or 1008 of a web socket), who acted, and the header that goes along."""
    sent, acted = [], []

    async def page(scope, receive, send):
        acted.append((caller(), [value.decode() for name, value in scope["headers"] if name == NAMED.lower().encode()]))
        start = {"type": "websocket.accept"} if kind == "websocket" else {"type": "http.response.start", "status": 200}
        await send(start)

    async def receive():
        return {"type": f"{kind}.connect"}

    async def send(message):
        sent.append(message)

    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    scope = {"type": kind, "path": path, "client": (address, 1), "headers": raw}
    asyncio.run(ProxyLogin(page)(scope, receive, send))
    first = sent[0]
    status = {"websocket.accept": 101, "websocket.close": first.get("code")}.get(first["type"], first.get("status"))
    return status, acted


NOW = int(time.time())
ATTEMPTS = {
    "nothing": lambda: [],
    "an empty token": lambda: [(HEADER, "")],
    "two tokens": lambda: [(HEADER, token()), (HEADER, token())],
    "no token but a name": lambda: [("X-Forwarded-Email", "root@lab.example")],
    "our own header": lambda: [(NAMED, '["root@lab.example"]')],
    "the token elsewhere": lambda: [("Authorization", f"Bearer {token()}")],
    "words": lambda: [(HEADER, "ada@lab.example")],
    "three words": lambda: [(HEADER, "a.b.c")],
    "unsigned": lambda: [(HEADER, f"{part({'alg': 'none'})}.{part(claims())}.")],
    "unsigned in capitals": lambda: [(HEADER, f"{part({'alg': 'NONE', 'kid': 'a'})}.{part(claims())}.")],
    "the signature cut off": lambda: [(HEADER, token().rpartition(".")[0] + ".")],
    "a foreign key under our key's name": lambda: [(HEADER, token(FOREIGN))],
    "a key that nobody knows": lambda: [(HEADER, token(FOREIGN, kid="z"))],
    "a shared secret": lambda: [(HEADER, token(SECRET, "HS256", "c"))],
    "our public key as a secret": lambda: [(HEADER, with_a_secret(OWN.as_pem(private=False)))],
    "another algorithm of our key": lambda: [(HEADER, token(OLDER, "RS512", "b"))],
    "a changed claim": lambda: [
        (HEADER, ".".join([token().split(".")[0], part(claims(email="root@lab.example")), token().split(".")[2]]))
    ],
    "another issuer": lambda: [(HEADER, token(iss="https://evil.example"))],
    "no issuer": lambda: [(HEADER, token(iss=None))],
    "another audience": lambda: [(HEADER, token(aud="/projects/9/services/2"))],
    "a part of our audience": lambda: [(HEADER, token(aud=AUDIENCE[:-1]))],
    "no audience": lambda: [(HEADER, token(aud=None))],
    "expired": lambda: [(HEADER, token(exp=NOW - 60, iat=NOW - 700))],
    "endless": lambda: [(HEADER, token(exp=None))],
    "not yet": lambda: [(HEADER, token(nbf=NOW + 3600))],
    "issued tomorrow": lambda: [(HEADER, token(iat=NOW + 86_400))],
    "without a name": lambda: [(HEADER, token(email=None))],
    "a list of names": lambda: [(HEADER, token(email=["ada@lab.example", "root@lab.example"]))],
    "two names": lambda: [(HEADER, token(email="ada@lab.example root@lab.example"))],
    "a name that looks like a group": lambda: [(HEADER, token(email="group:radiology, x"))],
    "an e-mail that nobody verified": lambda: [(HEADER, token(email_verified=False))],
    "too long": lambda: [(HEADER, token(fill="x" * 20_000))],
    "encrypted": lambda: [(HEADER, "a.b.c.d.e")],
}


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("headers", ATTEMPTS.values(), ids=ATTEMPTS)
def test_an_attempt_to_get_past_is_refused(headers, kind):
    assert visit(headers(), kind) == (401 if kind == "http" else 1008, [])


@pytest.mark.parametrize("made", [token, lambda **other: token(OLDER, "RS256", "b", **other)], ids=["ES256", "RS256"])
def test_whom_the_proxy_signs_is_let_in_from_everywhere(made):
    status, ((who, said),) = visit([(HEADER, made()), (NAMED, '["root@lab.example"]')])
    assert (status, who.name, who.role) == (200, "ada@lab.example", VIEWER)
    assert said == ['["ada@lab.example"]'], "what somebody sends under the name of our header does not pass"
    assert visit([(HEADER, made(aud=["other", AUDIENCE]))], "websocket")[0] == 101


def test_roles_go_by_name_and_groups():
    for other, role in (({"email": "root@lab.example"}, ADMIN), ({"groups": ["Radiology"]}, RESEARCHER)):
        _, ((who, said),) = visit([(HEADER, token(**other))])
        assert (who.role, named(said[0]).role) == (role, role)
    assert named(None).role == VIEWER


def test_only_healthz_is_open():
    assert visit([], path="/healthz")[0] == 200
    assert {visit([], path=path)[0] for path in ("/", "/metrics", "/_stcore/stream", "/thumbnail")} == {401}


def test_changed_keys_of_a_file_count_at_once(configured):
    assert visit([(HEADER, token())])[0] == 200
    configured.write_text(key_set(FOREIGN))
    assert visit([(HEADER, token())])[0] == 401
    assert visit([(HEADER, token(FOREIGN))])[0] == 200
    configured.unlink()
    assert visit([(HEADER, token(FOREIGN))])[0] == 401


@pytest.fixture
def shown(monkeypatch):
    """A proxy that shows its keys, and how often it was asked."""
    keys, asked = [OWN], []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(key_set(*keys).encode())

        def log_message(self, *words):
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("CXR_PROXY_TOKEN_KEYS", f"http://127.0.0.1:{server.server_port}/keys")
    yield keys, asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_keys_are_fetched_once_and_again_for_a_new_one(shown, monkeypatch):
    keys, asked = shown
    assert [visit([(HEADER, token())])[0] for _ in range(3)] == [200] * 3
    assert asked == ["/keys"]
    keys[:] = [OLDER]
    new = token(OLDER, "RS256", "b")
    assert [visit([(HEADER, new)])[0] for _ in range(3)] == [401] * 3, "it was asked a moment ago"
    assert len(asked) == 1, "whoever sends forged tokens makes nobody ask"
    monkeypatch.setattr(proxy_token, "_BETWEEN_FETCHES", 0.0)
    assert visit([(HEADER, new)])[0] == 200
    assert len(asked) == 2


def test_where_nobody_shows_keys_nobody_comes_in(monkeypatch):
    monkeypatch.setenv("CXR_PROXY_TOKEN_KEYS", "http://127.0.0.1:9/keys")
    assert visit([(HEADER, token())])[0] == 401


@pytest.mark.parametrize("place", ["http://proxy.example/keys", "ftp://proxy.example/keys", "https://"])
def test_keys_come_from_a_place_that_nobody_can_change_on_the_way(monkeypatch, place):
    monkeypatch.setenv("CXR_PROXY_TOKEN_KEYS", place)
    with pytest.raises(SettingsError, match="the https:// address of keys, or a file"):
        settings()


@pytest.mark.parametrize("name", ["KEYS", "ISSUER", "AUDIENCE"])
def test_it_does_not_start_without_what_it_needs(monkeypatch, name):
    assert (lacking(), refusal("0.0.0.0")) == ("", "")
    monkeypatch.delenv(f"CXR_PROXY_TOKEN_{name}")
    assert lacking() == f"There is a proxy_token_header, but no proxy_token_{name.lower()} (CXR_PROXY_TOKEN_{name})."


@pytest.mark.parametrize("other", ["AUTH_PROVIDER", "PROXY_USER_HEADER"])
def test_there_is_one_way_to_log_in(monkeypatch, other):
    monkeypatch.setenv(f"CXR_{other}", "https://login.example" if other == "AUTH_PROVIDER" else "X-User")
    assert lacking().startswith("There are 2 logins: keep one of ")
