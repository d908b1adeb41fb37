"""What the pages say: no plural of one, no `None`, no `nan`, no "probabilitys", whatever page, tab and state."""

import re

import pytest

from cxr_core.runs import service
from cxr_core.runs.store import RunStore

#: Words that no page says. "1 patients" is one with a plural that is none's name; a hyphen before makes it a name.
WRONG = re.compile(
    r"(?<![\w.,:-])1 (?:\w+ )?(?:images|studies|patients|rows|labels|runs|trainings|files|steps|models|queries|pairs|"
    r"columns|groups|views|predictions|seeds|epochs|sources|entries)\b"
    r"|\bNone\b(?! of the )|\bnan\b|\bNaN\b|\b\w*[^aeiou\W]ys\b|\{(?!dataset|view|set)[a-z_]+\}|\{'|<[a-z]+ object"
)
COMPARE = ["All labels", "Curves of one label", "Is the difference real?", "What u and w did", "Build an ensemble"]
PAGES = [
    ("labels", {"labels-tab": tab})
    for tab in ("Table", "Studies and patients", "Labels that occur together", "What u and w do", "SQL and cost")
]
PAGES += [("compare", {"compare-tab": tab}) for tab in COMPARE]
PAGES += [
    ("evaluate", {"label": label, "dataset": dataset, "point-tab": tab})
    for label, dataset, tab in (
        ("edema", "valid", "At this point"),
        ("fracture", "test", "Where the uncertain fall"),
        ("pleural_other", "valid", "Calibration"),
        ("lung_lesion", "test", "Subgroups"),
        ("edema", "test", "Decisions"),
    )
]
PAGES += [("train", {}), ("train", {"train-several": "Repeat over seeds"}), ("sources", {})]


def said(app):
    """Every text of a page: its own, the words of its inputs, the cells of its tables, the help."""
    for kind in ("title", "header", "subheader", "markdown", "caption", "info", "warning", "error", "success"):
        yield from (str(one.value) for one in getattr(app, kind))
    for metric in app.metric:
        yield from (metric.label, str(metric.value), str(metric.delta))
    for frame in [*app.table, *app.dataframe]:
        cells = frame.value.map(lambda cell: "" if isinstance(cell, float) else str(cell) if cell is not None else "")
        yield from (str(name) for name in [*frame.value.columns, *frame.value.index])
        yield from cells.to_numpy().ravel()
    for kind in ("selectbox", "multiselect", "button", "text_input", "number_input", "slider"):
        for one in getattr(app, kind):
            yield from (one.label, one.help or "", *map(str, getattr(one, "options", None) or []))


def wrong(app):
    return [text for text in said(app) if WRONG.search(re.sub(r"`[^`]*`|\\", "", text)) and text != "None"]


@pytest.mark.parametrize(("name", "query"), PAGES, ids=[f"{name}-{'-'.join(q.values())}"[:60] for name, q in PAGES])
def test_no_page_says_what_nobody_would_write(small_demo, page, name, query):
    assert not wrong(page(name, **query))


@pytest.mark.parametrize("tab", ["Configuration", "Throughput", "Notes", "Files"])
def test_no_run_says_what_nobody_would_write(own_small_demo, page, monkeypatch, tab):
    monkeypatch.setattr(service, "_launch", lambda store, run: run)
    config = {"options": {"epochs": 1, "u": 0.5, "w": 0.25}, "steps_per_epoch": 1, "n_train": 1, "n_valid": 1}
    run = service.submit("train", "flow-1", "demo", config, "cpu", resumable=True)
    RunStore(own_small_demo).start(run.run)
    app = page("runs", **{"run-tab": tab})
    assert not wrong(app)
    # the filter offers the bare word
    assert not [text for text in said(app) if "queued" in text and text != "queued"], (
        "a run that works is not called queued"
    )
    assert app.header[0].value == "Training: flow-1"
    RunStore(own_small_demo).end(run.run, "cancelled", None, run.supervisor)
    assert not wrong(page("runs", **{"run-tab": tab}))


def test_the_words_that_are_looked_for_would_be_found():
    for text in ("1 patients", "only 1 training images", "is None", "p nan", "probabilitys", "{'u': 1}"):
        assert WRONG.search(text), text
    for text in (
        "1 patient",
        "21 patients",
        "0.1 images per second",
        "always 3 days",
        "None of the 14 labels can be tested",
        "u 1, w 1",
        "densenet_u1 images",
    ):
        assert not WRONG.search(text), text
