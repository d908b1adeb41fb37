"""Pages as somebody sees them who may not see a source: as if it had never been there, whatever the address says."""

import asyncio
import shutil
from pathlib import Path
from urllib.parse import urlencode

import pytest
from small_demo import MODELS

from cxr_core.caller import ADMIN, Caller, acting_for, caller, found_by
from cxr_core.runs import service
from cxr_core.tasks.images import ImageQuery, images
from dashboard.persons import session_caller
from dashboard.proxy_login import ProxyLogin
from dashboard.reach import refusal
from dashboard.shared.downloads import noted
from dashboard.shared.navigation import PAGES
from dashboard.thumbnails import thumbnail_routes

SECRET, NOTHING = "secret", "nowhere"
FRIEND = Caller("bo@lab.example", ADMIN, frozenset({"bo@lab.example"}))
STRANGER = Caller("eve@else.example", ADMIN, frozenset({"eve@else.example"}))
QUERIES = {
    "labels": {},
    "train": {},
    "runs": {},
    "evaluate": {"model": MODELS[0], "label": "edema"},
    "compare": {"models": MODELS[0]},
    "images": {"model": MODELS[0], "label": "edema"},
    "sources": {},
}


@pytest.fixture
def shared(own_small_demo, monkeypatch):
    """The demo for everybody, the same once more for a few with a run, and whose turn it is to look."""
    monkeypatch.setattr(service, "_launch", lambda store, run: run)
    shutil.copytree(own_small_demo / "sources" / "demo", own_small_demo / "sources" / SECRET)
    Path("cxr.toml").write_text(f'[who_may_see]\n{SECRET} = ["bo@lab.example"]\n{NOTHING} = ["bo@lab.example"]\n')
    with acting_for(FRIEND):
        service.submit("train", "hidden-model", SECRET, {})
    looking = [STRANGER]
    found_by(lambda: looking[0])
    yield looking
    found_by(lambda: None)


def words(app) -> str:
    """All that a browser is sent of a page."""
    return "\n".join(str(element.proto) for element in app._tree if hasattr(element, "proto"))


@pytest.mark.parametrize("name", [row.name for row in PAGES])
def test_a_page_tells_a_stranger_nothing_of_it(shared, page, name):
    shown = words(page(name))
    assert "demo" in shown
    assert SECRET not in shown and "hidden-model" not in shown


@pytest.mark.parametrize("name", [row.name for row in PAGES])
def test_an_address_that_names_it_is_answered_as_if_it_were_not_there(shared, page, name):
    shared[0] = FRIEND
    page(name, source=SECRET, **QUERIES[name])
    shared[0] = STRANGER
    hidden = words(page(name, source=SECRET, **QUERIES[name]))
    missing = words(page(name, source=NOTHING, **QUERIES[name]))
    assert hidden.count(SECRET) == missing.count(NOTHING)
    assert "hidden-model" not in hidden
    assert "Unknown source" in hidden or name == "sources"


def test_a_friend_sees_it_on_each_page(shared, page):
    shared[0] = FRIEND
    assert all(SECRET in words(page(name, source=SECRET)) for name in ("labels", "sources", "evaluate"))


def test_the_address_of_a_run_of_it_leads_nowhere(shared, page):
    with acting_for(FRIEND):
        (run,) = service.list_runs()
        service.submit("train", "open", "demo", {})
    shown = words(page("runs", run=run.run))
    assert "hidden-model" not in shown and "open" in shown
    assert SECRET not in shown


def test_who_may_see_nothing_is_told_so(shared, page):
    Path("cxr.toml").write_text('[who_may_see]\n"*" = ["bo@lab.example"]\n')
    app = page("labels")
    assert app.title[0].value == "No source is open to you"
    assert not app.error


def thumbnail_for(person, source, path, monkeypatch):
    """The status of a thumbnail that a proxy asks for in a person's name."""
    monkeypatch.setenv("CXR_PROXY_USER_HEADER", "X-User")
    (route,) = thumbnail_routes()
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    query = urlencode({"source": source, "path": path}).encode()
    headers = [(b"x-user", person.encode())]
    scope = {"type": "http", "method": "GET", "path": route.path, "query_string": query, "headers": headers}
    asyncio.run(ProxyLogin(route.app)(scope | {"root_path": "", "client": ("127.0.0.1", 1)}, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:]).decode("latin-1")


def test_a_picture_of_it_is_not_found(shared, monkeypatch):
    found_by(session_caller)
    path = images(ImageQuery("demo", limit=1)).listed[0].path
    status, text = thumbnail_for("eve@else.example", SECRET, path, monkeypatch)
    assert (status, text) == (404, "Unknown source 'secret'. Choose one of: demo.\n")
    assert thumbnail_for("bo@lab.example", SECRET, path, monkeypatch)[0] == 200
    assert thumbnail_for("eve@else.example", "demo", path, monkeypatch)[0] == 200


def test_a_server_that_asks_nobody_who_he_is_does_not_start_with_it(shared, monkeypatch):
    monkeypatch.setenv("CXR_WITHOUT_LOGIN", "true")
    assert refusal("0.0.0.0").startswith("[who_may_see] names persons, and nobody would have to say who he is")
    assert refusal("127.0.0.1") == "", "its user may see all that lies there"
    monkeypatch.setenv("CXR_PROXY_USER_HEADER", "X-User")
    assert refusal("0.0.0.0") == ""


def who_acts() -> bytes:
    return caller().name.encode()


def test_a_download_is_made_for_whom_the_page_was_drawn(shared):
    shared[0] = FRIEND
    made = noted(who_acts, "x.csv")
    shared[0] = STRANGER
    assert made() == b"bo@lab.example"
