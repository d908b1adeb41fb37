"""A link alone does nothing: whatever its parameters say, a page comes, and looks at nothing that it may not."""

import re

import pytest
from bound_parameters import SeenNames, patterns, written_names
from watched_process import watched

from dashboard.shared.navigation import PAGES

pytestmark = pytest.mark.timeout(300)

#: Parameters that decide what else a page shows; they are left out where the others are to be reached.
CHOOSING = (
    "source",
    "train-several",
    "train-strategy",
    "run",
    "labels-tab",
    "run-tab",
    "compare-tab",
    "point-tab",
    "point-by",
    "evaluate-tab",
    "card-rule",
)
OPENINGS = [
    {},
    {"train-several": "sweep", "train-strategy": "per label", "labels-tab": "Together", "compare-tab": "Pair", "point-by": "youden"},
    {"train-several": "repeat", "train-strategy": "custom", "point-by": "fixed"},
    {"point-by": "threshold", "evaluate-tab": "Thresholds"}, {"point-by": "specificity", "evaluate-tab": "Groups", "point-tab": "Decisions"},
]  # fmt: skip
NUMBERS = ["1e999", "-inf", "nan", "9" * 5000, "1e300", "-1"]
PLACES = [
    "{outside}/**", "{outside}/secret.h5", "/**", "../../outside/secret.h5", "{home}/**/**/none*",
    "gs://somebody-elses/**", "gs://somebody-elses/x.h5", "http://evil.example/x.h5", "~nobody-at-all/x.h5",
]  # fmt: skip
TEXTS = ["", "a\0b", "x" * 5000, "![i](http://evil.example/x)", "0,0;" * 14]
#: Only Train takes places from a link; the others are tried with one of each kind.
VALUES = [(row.name, value) for row in PAGES for value in NUMBERS[:1] + PLACES[:1] + TEXTS[1:4:2]]
VALUES += [("train", value) for value in NUMBERS[1:] + PLACES[1:] + TEXTS]


@pytest.fixture
def outside(tmp_path):
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.h5").write_bytes(b"secret")
    return folder


def test_the_parameters_of_every_page_are_known(small_demo, page, monkeypatch):
    seen = SeenNames(monkeypatch)
    for row in PAGES:
        page(row.name)
    page("train", **OPENINGS[1])
    assert {"train-records", "source", "run", "view"} <= all_names(seen)
    for place, pattern in patterns().items():
        assert [name for name in all_names(seen) if re.fullmatch(pattern, name)], (
            f"no value is tried for {pattern} ({place})"
        )


def all_names(seen):
    return written_names() | seen.names


@pytest.mark.parametrize(("name", "value"), VALUES, ids=lambda text: text[:24])
def test_a_hostile_value_in_every_parameter_is_a_page_that_looks_at_nothing_else(
    small_demo, page, outside, name, value
):
    text = value.replace("{outside}", str(outside)).replace("{home}", str(small_demo))
    with watched() as looked:
        page(name, **dict.fromkeys(written_names() - set(CHOOSING), text))
    assert not looked.below(outside)
    assert not looked.hosts
    assert "/" not in looked.paths or "/**" not in text


def test_the_watch_sees_what_a_page_would_look_at(outside):
    with watched() as looked:
        (outside / "secret.h5").read_bytes()
        (outside / "nothing.h5").exists()
        list(outside.iterdir())
    assert looked.below(outside) == [str(outside), f"{outside}/nothing.h5", f"{outside}/secret.h5"]


@pytest.mark.parametrize("text", ["1e999", "-inf", "9" * 5000])
def test_a_number_without_end_is_said_and_left_out(small_demo, page, text):
    assert "train-epochs" in page("labels", **{"train-epochs": text}).warning[0].value.replace("\\", "")
    app = page("train", **{"train-epochs": text})
    assert app.number_input(key="train-epochs").value == 3
