"""Attempts to get past the login in a real browser: each leads a page somewhere, and is refused there."""

import json
import time

from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

COOKIE = "_streamlit_user"
#: Says how a web socket ended that was opened without a login: with what, and whether anything came before.
SOCKET = """address => new Promise(told => {
  const socket = new WebSocket(address, ["streamlit"]);
  let came = false;
  socket.onmessage = () => { came = true; };
  socket.onclose = () => told(came ? "answered" : "refused");
})"""

_NOW = int(time.time())
_ROOT = {"email": "root@lab.example", "email_verified": True, "groups": ["cxr-admins"]}
#: What the provider signs, by the name under which it is asked to.
LIES = {
    "an expired token": {"exp": _NOW - 600, "iat": _NOW - 4200},
    "a token that is not valid yet": {"nbf": _NOW + 6000},
    "a token for another audience": {"aud": "another-app"},
    "a token for another audience that calls us authorized": {"aud": "another-app", "azp": "cxr-lab"},
    "a token for several others": {"aud": ["a", "b"]},
    "a token that another app got": {"azp": "another-app"},
    "a token of another issuer": {"iss": "https://accounts.example"},
    "a token of another login": {"nonce": "of-another-login"},
    "an admin's e-mail that nobody verified": {"email_verified": False},
    "an admin's e-mail verified by a word": {"email_verified": "true"},
    "a group's name for an e-mail": {"email": "group:cxr-admins", "groups": []},
    "two e-mails in one": {"email": "x@elsewhere.example,root@lab.example", "groups": []},
    "a domain that only ends like ours": {"email": "eve@evil-lab.example", "groups": []},
}
PEOPLE = {name: _ROOT | lie for name, lie in LIES.items()}


class Attempts:
    """What somebody without a login tries, in a page of his own; each attempt returns the status that answered."""

    def __init__(self, page, url, key):
        self.page, self.url, self._key = page, url, key

    def all(self):
        """Yield the name and the status of each attempt."""
        for name in LIES:
            yield name, self._token(name)
        for name, cookie in self._cookies().items():
            yield name, self._cookie(cookie)
        for path in ("/sources", "/evaluate?source=demo", "/runs", "/metrics", "/thumbnail", "/media/x.png"):
            yield f"the address {path}", self._open(path)
        for path in ("//healthz", "/healthz/../runs", "/auth/login/../../runs", "/oauth2callback/"):
            yield f"the address {path}", self._open(path)
        for header in ("X-Forwarded-Email", "X-Goog-IAP-JWT-Assertion", "Authorization"):
            yield f"a header {header}", self._header(header)
        for answer in ("?code=guessed&state=guessed", "?code=guessed", "?error=none"):
            yield f"an answer {answer} of no provider", self._answer(answer)
        for path in ("/_stcore/stream", "/stream"):
            yield f"a web socket at {path}", self._socket(path)

    def _token(self, name):
        self.page.context.clear_cookies()
        self.page.goto(f"{self.url}/login")
        self.page.get_by_role("button", name=name, exact=True).click()
        self.page.wait_for_url(lambda address: address.startswith(self.url) and "/oauth2callback" not in address)
        return self._open("/runs")

    def _cookies(self):
        signed = self._signed(_ROOT)
        return {
            "a cookie without a signature": json.dumps(_ROOT).replace('"', "%22").replace(",", "%2C"),
            "a cookie signed with another key": self._signed(_ROOT, key="x" * 64),
            "a cookie signed for another purpose": self._signed(_ROOT, name="_streamlit_user_tokens"),
            "a cookie of which a character was changed": ("A" if signed[0] != "A" else "B") + signed[1:],
            "a cookie for another audience": self._signed({"aud": "another-app"}),
            "a cookie of another address": self._signed({"origin": "http://127.0.0.1:1"}),
            "a cookie that says not logged in": self._signed({"is_logged_in": False}),
        }

    def _signed(self, said, key="", name=COOKIE):
        usual = {"aud": "cxr-lab", "origin": self.url, "is_logged_in": True, "email": "root@lab.example"}
        return create_signed_value(key or self._key, name, json.dumps(usual | {"email_verified": True} | said)).decode()

    def _cookie(self, value):
        self.page.context.clear_cookies()
        self.page.context.add_cookies([{"name": COOKIE, "value": value, "url": self.url}])
        return self._open("/runs")

    def _header(self, name):
        self.page.context.clear_cookies()
        self.page.set_extra_http_headers({name: "root@lab.example"})
        status = self._open("/runs")
        self.page.set_extra_http_headers({})
        return status

    def _answer(self, answer):
        self.page.context.clear_cookies()
        self.page.goto(f"{self.url}/oauth2callback{answer}")
        return self._open("/runs")

    def _open(self, path):
        return self.page.goto(f"{self.url}{path}").status

    def _socket(self, path):
        self.page.context.clear_cookies()
        self.page.goto(f"{self.url}/healthz")
        return self.page.evaluate(SOCKET, f"{self.url.replace('http', 'ws')}{path}")
