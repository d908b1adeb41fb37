"""A choice is kept as what was chosen: words may change, options may go, the address may use either name."""

from streamlit.testing.v1 import AppTest

from cxr_core.runs import service
from cxr_core.runs.identity import own_identity
from cxr_core.runs.store import RunStore


def one_page():
    """A page with a choice of things that come and go, and one of fixed words; the session says what there is."""
    import streamlit as st

    from cxr_core.errors import CxrError
    from dashboard.shared import address
    from dashboard.shared.choices import Options, pick_one, select_one, select_several

    things = st.session_state.setdefault("things", ["a", "b", "c"])
    status = st.session_state.setdefault("status", "queued")
    address.begin_reading()
    asked = st.query_params.to_dict()
    try:
        thing = Options(things, "thing", lambda one: f"{one} is {status}", what="thing")
        st.markdown(f"shown: {select_one('Thing', thing, things[0], '')}")
    except CxrError as error:
        st.error(str(error))
    label = Options(["edema", "pleural_effusion"], "label", lambda one: one.replace("_", " ").capitalize())
    st.markdown(f"label: {pick_one('Label', label, 'edema', '')}")
    several = Options(things, "several", what="thing", former=("many",))
    st.markdown(f"several: {select_several('Several', several, things[:2], '')}")
    st.slider("Share", 0.0, 1.0, 0.5, key="share", bind="query-params")
    for sentence in address.not_understood(asked):
        st.warning(sentence)


def opened(**query):
    app = AppTest.from_function(one_page)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def said(app):
    return [one.value for one in app.markdown]


def test_a_choice_outlives_a_change_of_its_words():
    app = opened()
    app.selectbox(key="thing").set_value("b").run()
    app.session_state["status"] = "running"
    app.run()
    assert said(app)[0] == "shown: b"
    assert app.selectbox(key="thing").value == "b"
    assert app.query_params["thing"] == "b"


def test_what_vanishes_is_named_and_nothing_takes_its_place():
    app = opened(thing="b")
    app.session_state["things"] = ["a", "c"]
    app.run()
    assert app.error[0].value == (
        "There is no thing 'b': it was removed or renamed, or the link is wrong. Choose another one."
    )
    assert "shown: a" not in said(app)
    assert app.query_params["thing"] == "b"
    app.selectbox(key="thing").set_value("c").run()
    assert not app.error
    assert said(app)[0] == "shown: c"


def test_the_first_of_a_list_stays_shown_when_another_one_comes_before_it():
    app = opened()
    assert said(app)[0] == "shown: a"
    app.session_state["things"] = ["0", "a", "b"]
    app.run()
    assert said(app)[0] == "shown: a"
    assert app.query_params["thing"] == "a", "the address says what is not the first one any more"


def test_of_several_what_vanished_is_said_and_left_out():
    app = opened(many=["b", "c"])
    assert said(app)[2] == "several: ['b', 'c']"
    assert app.query_params == {"several": ["b", "c"]}
    app.session_state["things"] = ["a", "c"]
    app.run()
    assert said(app)[2] == "several: ['c']"
    assert "There is no thing 'b'" in app.warning[0].value
    app.multiselect(key="several").set_value([]).run()
    assert said(app)[2] == "several: []"
    assert opened(several="").query_params == {"several": ""}


def test_the_address_takes_names_and_words_in_any_case():
    for asked in ("pleural_effusion", "Pleural effusion", "PLEURAL-EFFUSION"):
        app = opened(label=asked)
        assert said(app)[1] == "label: pleural_effusion"
        assert app.query_params["label"] == "pleural_effusion"
        assert not app.warning


def test_what_is_not_understood_is_said_in_a_line():
    app = opened(label="oedema")
    assert said(app)[1] == "label: edema"
    assert "label=oedema" in app.warning[0].value
    assert "Choose one of: edema, pleural_effusion" in app.warning[0].value
    assert "share=7" in opened(share="7").warning[0].value
    assert "share=x" in opened(share="x").warning[0].value
    assert "lable=edema" in opened(lable="edema").warning[0].value
    assert not opened(label="edema", share="0.25", thing="c").warning


def submitted(home, name, status):
    run = service.submit("train", name, "demo", {"options": {"epochs": 2}}, "cpu", resumable=True)
    if status != "queued":
        RunStore(home).end(run.run, status, None, own_identity())
    return run.run


def test_a_button_acts_on_the_run_that_it_was_drawn_for_or_says_why_not(own_small_demo, page, monkeypatch):
    monkeypatch.setattr(service, "_launch", lambda store, run: run)
    shown = submitted(own_small_demo, "shown", "queued")
    app = page("runs", run=shown)
    newest = submitted(own_small_demo, "newest", "queued")
    RunStore(own_small_demo).end(shown, "completed", None, own_identity())
    app.button(key=f"cancel-run-{shown}").click().run()
    assert app.error[0].value == f"Run {shown} has completed already, so it cannot be cancelled."
    assert service.get(newest).is_active
    assert app.query_params["run"] == shown
    app.button(key=f"delete-run-{shown}").click().run()
    service.delete(shown)
    app.button(key=f"delete-for-good-{shown}").click().run()
    assert "Unknown run" in app.error[0].value
    assert [run.run for run in service.list_runs()] == [newest]


def test_the_run_that_is_shown_first_stays_when_a_newer_one_comes(own_small_demo, page, monkeypatch):
    monkeypatch.setattr(service, "_launch", lambda store, run: run)
    first = submitted(own_small_demo, "first", "failed")
    app = page("runs")
    submitted(own_small_demo, "second", "queued")
    app.run()
    assert app.query_params["run"] == first
    assert "Resume run" in [button.label for button in app.button]


def test_a_model_that_is_gone_is_named_on_evaluate_and_none_takes_its_place(small_demo, page):
    app = page("evaluate", model="gone", label="fracture")
    assert app.title[0].value == "This model is not there"
    assert "There is no model 'gone' with predictions here" in app.error[0].value
    assert not app.get("plotly_chart")
    assert app.query_params["model"] == "gone"


def test_the_names_of_the_command_line_work_in_the_address_of_every_page(small_demo, page):
    app = page("evaluate", model="densenet_frontal_u1_0__w1_0", label="fracture", dataset="test", view="frontal")
    assert "Fracture" in app.title[0].value
    assert not app.warning
    app = page("labels", view="lateral", dataset="test")
    assert "Lateral view" in app.markdown[0].value
    assert not app.warning
