"""What a session sees while it waits, and how its waiting ends."""

from streamlit.testing.v1 import AppTest

from cxr_core.progress import each_told


def long_question():
    import streamlit as st

    from cxr_core.progress import each_told
    from dashboard.shared import waiting

    waiting.PATIENCE = -1.0  # as if it took long from the start
    with waiting.waiting(("question", st.session_state.get("label", 0)), "Computing …"):
        st.session_state["answers"] = each_told("Labels", str, range(3))
    st.text("answered")


def test_an_answer_that_takes_long_leaves_nothing_of_the_bar_behind():
    app = AppTest.from_function(long_question, default_timeout=60).run()
    assert not app.exception
    assert [text.value for text in app.text] == ["answered"]
    assert not [button.label for button in app.button]
    assert app.session_state["answers"] == each_told("Labels", str, range(3))


def test_a_cancelled_question_is_asked_again_only_when_somebody_says_so():
    app = AppTest.from_function(long_question, default_timeout=60)
    app.session_state["cancelled-questions"] = {("question", 0)}
    app.run()
    assert (app.text.len, app.info[0].value) == (0, "This was cancelled.")
    app.session_state["label"] = 1
    assert app.run().text[0].value == "answered"
    app.session_state["label"] = 0
    app.run()
    app.button[0].click().run()
    assert app.text[0].value == "answered"


def closed_tab():
    import time

    import streamlit as st
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    from cxr_core.progress import each_told
    from dashboard.shared import waiting

    waiting.PATIENCE = -1.0
    begun = st.session_state["begun"] = []
    requests = get_script_run_ctx().script_requests

    def work(part):
        begun.append(part)
        if not part:
            requests.request_stop()  # what the server does when a tab is closed
        time.sleep(0.01)

    with waiting.waiting("question", "Computing …"):
        each_told("Labels", work, range(1000))
    st.session_state["done"] = True


def test_work_ends_with_the_tab_that_waits_for_it():
    app = AppTest.from_function(closed_tab, default_timeout=60).run()
    assert 0 < len(app.session_state["begun"]) < 1000
    assert "done" not in app.session_state
