"""The curves of the labels that nobody asked for yet are computed beside a page, as long as somebody looks at it."""

import numpy as np
import pytest
from test_pages import FIRST

from cxr_core.cache.answers import ANSWERS
from cxr_core.schema import REPORT
from cxr_core.tasks.evaluate import joined_predictions
from cxr_core.tasks.state import source_state
from dashboard.shared import label_answers
from dashboard.shared.asked import computed

WHERE = ("valid", None, REPORT)


@pytest.fixture
def stamp(small_demo):
    ANSWERS.forget("pages")
    return source_state("demo", (FIRST,)).stamp


def joined():
    return computed(joined_predictions, "demo", FIRST, *WHERE, of=(FIRST,))


def drawn_anew(monkeypatch):
    """Return the labels whose curves are computed from now on."""
    found = []
    compute = label_answers.curves_of

    def noted(rows, model, label):
        found.append(label)
        return compute(rows, model, label)

    monkeypatch.setattr(label_answers, "curves_of", noted)
    return found


def test_another_label_is_found_and_is_what_would_have_been_computed(stamp, monkeypatch):
    rows = joined()
    monkeypatch.setattr(label_answers, "_is_there", lambda session: True)
    label_answers._each_label("a session", stamp, "demo", FIRST, *WHERE)
    computed_later = drawn_anew(monkeypatch)
    for label in rows.labels:
        found, anew = label_answers.label_curves("demo", FIRST, label, *WHERE), label_answers._label_curves
        assert computed_later == []
        expected = anew("demo", FIRST, label, *WHERE)
        computed_later.clear()
        assert (found.label, found.roc_auc, found.average_precision) == (
            label,
            expected.roc_auc,
            expected.average_precision,
        )
        assert np.array_equal(found.roc.thresholds, expected.roc.thresholds)


def test_nothing_more_is_computed_once_the_tab_is_closed(stamp, monkeypatch):
    rows, left = joined(), iter([True, True])
    done = drawn_anew(monkeypatch)
    monkeypatch.setattr(label_answers, "_is_there", lambda session: next(left, False))
    label_answers._each_label("a session", stamp, "demo", FIRST, *WHERE)
    assert done == list(rows.labels)[:2]


def test_no_table_is_asked_where_the_joined_rows_were_given_back(stamp, monkeypatch):
    monkeypatch.setattr(label_answers, "_is_there", lambda session: True)
    done = drawn_anew(monkeypatch)
    label_answers._each_label("a session", stamp, "demo", FIRST, *WHERE)
    assert done == []
    assert ANSWERS.peek(label_answers.question_of(joined_predictions, "demo", FIRST, *WHERE), stamp) is None


def test_the_page_asks_for_the_other_labels_of_what_it_judges(small_demo, page, monkeypatch):
    asked = []
    monkeypatch.setattr(label_answers._BESIDE, "submit", lambda *given: asked.append(given[3:]))
    page("evaluate", model=FIRST, dataset="test")
    assert asked
    assert set(asked) == {("demo", FIRST, "test", None, REPORT)}
