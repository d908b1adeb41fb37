"""Streamlit's own client, with Authlib, against a provider on this machine that tells the truth or lies."""

import asyncio
import time
from dataclasses import replace

import httpx2
import pytest
from openid_provider import Provider, served
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from streamlit import config
from streamlit.runtime.secrets import secrets_singleton
from streamlit.web.server.starlette.starlette_app import create_streamlit_middleware
from streamlit.web.server.starlette.starlette_auth_routes import create_auth_routes

from cxr_core.caller import caller
from dashboard.provider import cookie_key, provider_secrets
from dashboard.sign_in import SignIn

ADDRESS = "http://127.0.0.1:8501"


@pytest.fixture(scope="module")
def usual():
    """Keys of RSA take their time: one provider serves all tests, and says what each wants."""
    with served(Provider()) as provider:
        yield provider


@pytest.fixture
def provider(usual, monkeypatch):
    before = replace(usual)
    for name, value in {
        "AUTH_PROVIDER": usual.url,
        "AUTH_CLIENT_ID": "cxr-lab",
        "AUTH_CLIENT_SECRET": "s3cret",
        "AUTH_ADDRESS": ADDRESS,
        "AUTH_VIEWERS": "@lab.example",
    }.items():
        monkeypatch.setenv(f"CXR_{name}", value)
    key = config.get_option("server.cookieSecret")
    config.set_option("server.cookieSecret", cookie_key())
    secrets_singleton.merge_programmatic_secrets(provider_secrets())
    yield usual
    secrets_singleton._reset()
    config.set_option("server.cookieSecret", key)
    for name in ("claims", "left_out", "signer", "metadata"):
        setattr(usual, name, getattr(before, name))


class Browser:
    """Asks an app in this process, follows nothing and keeps its cookies."""

    def __init__(self, app):
        self._transport = httpx2.ASGITransport(app)
        self.cookies = httpx2.Cookies()

    def get(self, address):
        return asyncio.run(self._got(address))

    async def _got(self, address):
        usual = {"base_url": ADDRESS, "headers": {"accept": "text/html"}, "cookies": self.cookies, "trust_env": False}
        async with httpx2.AsyncClient(transport=self._transport, **usual) as client:
            answer = await client.get(address)
            self.cookies = client.cookies
            return answer


@pytest.fixture
def browser(provider):
    """A browser before the door: what lies behind says who came."""
    routes = [*create_auth_routes(""), Route("/{path:path}", lambda _request: PlainTextResponse(caller().name))]
    return Browser(SignIn(Starlette(routes=routes, middleware=create_streamlit_middleware())))


def log_in(browser):
    """Follow the link of the door to the provider and back; return what the start page then says."""
    to_provider = browser.get(browser.get("/login").headers["location"])
    back = through(to_provider.headers["location"])
    browser.get(back)
    return browser.get("/")


def through(address):
    return httpx2.get(address, trust_env=False, verify=False).headers["location"].removeprefix(ADDRESS)


def test_whoever_logs_in_by_the_provider_is_let_in(browser, provider):
    assert browser.get("/").status_code == 401
    entered = log_in(browser)
    assert (entered.status_code, entered.text) == (200, "ada@lab.example")
    asked = provider.asked[-1]
    assert asked["redirect_uri"] == f"{ADDRESS}/oauth2callback"
    assert asked["code_challenge_method"] == "S256"
    assert {"openid", "email"} <= {*asked["scope"].split()}


LIES = {
    "expired": {"claims": {"exp": int(time.time()) - 600, "iat": int(time.time()) - 4200}},
    "not valid yet": {"claims": {"nbf": int(time.time()) + 6000}},
    "issued in time to come": {"claims": {"iat": int(time.time()) + 6000}},
    "for another audience": {"claims": {"aud": "another-app"}},
    "for another audience, authorized for us": {"claims": {"aud": "another-app", "azp": "cxr-lab"}},
    "for others, authorized for us": {"claims": {"aud": ["a", "b"], "azp": "cxr-lab"}},
    "for us, authorized for another": {"claims": {"azp": "another-app"}},
    "for nobody": {"left_out": ("aud",)},
    "of another issuer": {"claims": {"iss": "https://accounts.example"}},
    "of no issuer": {"left_out": ("iss",)},
    "of another login": {"claims": {"nonce": "of-another-login"}},
    "of no login": {"left_out": ("nonce",)},
    "of no end": {"left_out": ("exp",)},
    "signed by a stranger": {"signer": "stranger"},
    "changed after it was signed": {"signer": "changed afterwards"},
    "not signed": {"signer": "unsigned"},
    "signed with the public key as a secret": {"signer": "public key as a secret"},
    "no token at all": {"signer": "nobody"},
    "an e-mail that nobody verified": {"claims": {"email_verified": False}},
    "nothing of an e-mail": {"left_out": ("email",)},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_token_that_is_none_for_us_lets_nobody_in(browser, provider, lie):
    for name, value in lie.items():
        setattr(provider, name, value)
    assert log_in(browser).status_code == 401
    provider.claims, provider.left_out, provider.signer = {}, (), "own"


def test_somebody_who_may_not_look_stays_outside(browser, provider):
    provider.claims = {"email": "eve@elsewhere.example"}
    assert log_in(browser).status_code == 403


def test_the_answer_to_another_browser_is_refused(browser, provider):
    back = through(browser.get(browser.get("/login").headers["location"]).headers["location"])
    browser.cookies.clear()
    browser.get(back)
    assert browser.get("/").status_code == 401


@pytest.mark.parametrize("answer", ["?code=code1&state=guessed", "?code=code1", "", "?error=access_denied&state=x"])
def test_an_answer_that_nobody_asked_for_is_refused(browser, answer):
    assert browser.get(f"/oauth2callback{answer}").status_code == 302
    assert browser.get("/").status_code == 401


def test_an_answer_counts_once(browser, provider):
    back = through(browser.get(browser.get("/login").headers["location"]).headers["location"])
    browser.get(back)
    browser.get("/auth/logout")
    browser.get(back)
    assert browser.get("/").status_code == 401


def test_a_log_out_ends_the_login_in_a_browser_that_kept_its_cookie(browser):
    log_in(browser)
    kept = browser.cookies["_streamlit_user"]
    browser.get("/auth/logout")
    assert browser.get("/").status_code == 401
    browser.cookies.set("_streamlit_user", kept)
    assert browser.get("/").status_code == 401


def test_a_way_to_another_provider_is_refused(browser):
    for forged in ("evil", "eyJhbGciOiJub25lIn0.eyJwcm92aWRlciI6ImV2aWwifQ."):
        assert browser.get(f"/auth/login?provider={forged}").headers["location"] == "/"
