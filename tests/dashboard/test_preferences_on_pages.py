"""What a person prefers is set on Sources, and pages begin with it where their address says nothing."""

import shutil

import pytest

from cxr_core.caller import VIEWER, Caller, found_by
from cxr_core.preferences import Preferences, prefer, preferences

ADA = Caller("ada@lab.example", VIEWER, frozenset())


@pytest.fixture
def two_sources(own_small_demo):
    """The demo, and a copy of it under a name that comes after it."""
    folder = own_small_demo / "sources"
    shutil.copytree(folder / "demo", folder / "mine")
    (folder / "mine" / "source.toml").write_text('kind = "local"\n')
    return folder


@pytest.fixture
def ada(two_sources):
    found_by(lambda: ADA)
    yield ADA
    found_by(lambda: None)


def opened(page):
    app = page("sources")
    app.session_state["preferences"] = True
    return app.run()


def test_they_are_set_on_sources_by_whoever_may_look(ada, page):
    app = opened(page)
    app.selectbox(key="preferred-source").set_value("mine").run()
    app.selectbox(key="preferred-view").set_value("lateral").run()
    app.toggle(key="preferred-downloads").set_value(False).run()
    assert not app.exception
    assert preferences() == Preferences("mine", "lateral", False)
    found_by(lambda: None)
    assert preferences() == Preferences()


def test_a_visit_begins_with_the_preferred_source_and_view(two_sources, page):
    prefer(source="mine", view="lateral")
    app = page("labels")
    assert not app.exception
    assert app.selectbox(key="source").value == "mine"
    assert app.session_state["view"] == "lateral"
    assert "mine" in app.query_params["source"] and "lateral" in app.query_params["view"]


@pytest.mark.parametrize("link", [{"source": "demo", "view": "frontal"}, {"view": "frontal"}, {"labels-tab": "Table"}])
def test_a_link_shows_what_it_shows_everybody(two_sources, page, link):
    prefer(source="mine", view="lateral")
    app = page("labels", **link)
    assert app.selectbox(key="source").value == "demo" and app.session_state["view"] == "frontal"


def test_a_preferred_source_that_is_gone_stands_in_nobodys_way(two_sources, page):
    prefer(source="gone")
    app = page("labels")
    assert not app.exception and app.selectbox(key="source").value == "demo"


def test_who_wants_no_downloads_is_offered_none(two_sources, page):
    assert page("labels").get("download_button")
    prefer(downloads=False)
    app = page("labels")
    assert not app.get("download_button")
    assert any("You switched downloads off" in caption.value for caption in app.caption)
