"""What a page shows of an answer before all of it is there."""

import pytest
from small_demo import MODELS
from streamlit.testing.v1 import AppTest

from cxr_core.schema import LABELS
from cxr_core.tasks.evaluate import evaluate, evaluate_label

pytestmark = pytest.mark.usefixtures("small_demo")


@pytest.fixture(autouse=True)
def no_patience(monkeypatch):
    """As if everything took long from the start."""
    monkeypatch.setattr("dashboard.shared.waiting.PATIENCE", -1.0)


def held_up(what):
    import streamlit as st

    from cxr_core.progress import hand_over, tell_done
    from dashboard.shared import waiting

    model, other = "densenet_frontal_u0_0__w0_0", "densenet_frontal_u1_0__w1_0"
    if what == "evaluation":
        from cxr_core.tasks.evaluate import evaluate
        from dashboard.evaluate.all_labels import labels_so_far as show

        parts = list(evaluate("demo", model, "valid").labels.values())[:3]
    elif what == "grid":
        from cxr_core.progress import receiving
        from cxr_core.tasks.grid import model_grid
        from dashboard.compare.so_far import grids_so_far

        parts = []
        with receiving(parts.append):
            model_grid("demo", (model, other), "valid")
        policies = dict.fromkeys((model, other), "ignored")
        show = lambda found: grids_so_far(found, "roc_auc", policies)  # noqa: E731
    else:
        from cxr_core.tasks.compare import compare
        from dashboard.compare.so_far import differences_so_far as show

        parts = list(compare("demo", model, other, "valid").labels.values())[:3]
    with waiting.waiting("question", "Computing …", show):
        tell_done("Labels", len(parts), 14, 0.0)
        for part in parts:
            hand_over(part)
        st.stop()


def shown(what):
    app = AppTest.from_function(held_up, args=(what,), default_timeout=60).run()
    assert not app.exception
    assert [button.label for button in app.button] == ["Cancel"]
    return app


def test_evaluate_shows_the_labels_that_are_there_and_says_what_is_to_come():
    app = shown("evaluation")
    assert len(app.dataframe[0].value) == 3
    (said,) = [caption.value for caption in app.caption]
    assert said == "3 labels so far, whose figures stay. Still computed: the other labels, and the means over them."


def test_compare_shows_figures_without_marks_and_says_that_they_are_decided_by_all():
    app = shown("grid")
    table = app.get("html")[0].proto.body
    assert "models-by-labels" in table
    assert not any(sign in table for sign in "●▼?")
    assert "the marks and the means, which all labels decide together" in app.caption[0].value


def test_differences_are_shown_without_the_corrected_p():
    table = shown("differences").table[0].value
    assert list(table.columns) == ["AUC(A) − AUC(B)", "95 % interval", "p", "p (DeLong)", "n (certain)"]
    assert len(table) == 3


@pytest.mark.parametrize("intervals", ["formula", "bootstrap"])
def test_one_label_alone_has_the_figures_that_it_has_among_all(monkeypatch, intervals):
    monkeypatch.setenv("CXR_INTERVALS", intervals)
    monkeypatch.setenv("CXR_RESAMPLES", "100")
    everything = evaluate("demo", MODELS[0], "valid")
    for label in LABELS[:4]:
        alone = evaluate_label("demo", MODELS[0], label, "valid")
        assert alone.labels == {label: everything.labels[label]}
        assert (alone.n_images, alone.doubt) == (everything.n_images, everything.doubt)
