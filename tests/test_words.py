"""Counts, plurals and percentages are written alike everywhere."""

import re
from pathlib import Path

import pytest

from cxr_core.words import agreeing, counted, decimals, percent, signed, with_minus

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("n", "noun", "words"),
    [
        (1, "patient", "1 patient"),
        (0, "patient", "0 patients"),
        (12345, "image", "12,345 images"),
        (2, "study", "2 studies"),
        (1, "study", "1 study"),
        (3, "training query", "3 training queries"),
        (2, "probability", "2 probabilities"),
        (2, "day", "2 days"),
        (2, "batch", "2 batches"),
        (1, "image is", "1 image is"),
        (2, "child", "2 children"),
    ],
)
def test_a_count_agrees_with_its_noun(n, noun, words):
    assert counted(n, noun) == words


def test_the_verb_goes_with_the_count():
    assert counted(1, "run is", "runs are") == "1 run is"
    assert counted(7, "run is", "runs are") == "7 runs are"
    assert [agreeing(n, "was") for n in (0, 1, 2)] == ["were", "was", "were"]


def test_a_number_below_0_has_a_minus_and_an_exponent_its_hyphen():
    assert (decimals(-0.5), decimals(0.25, 1), signed(-0.5), signed(0.5)) == ("−0.500", "0.2", "−0.500", "+0.500")
    assert (with_minus("-1e-05"), with_minus("1e-05")) == ("−1e-05", "1e-05")


def test_a_percentage_has_one_form():
    assert (percent(0.0312), percent(1), percent(0.4, 0)) == ("3.1 %", "100.0 %", "40 %")


#: A count that is written beside a plural, as in f"{n} rows" or f"{count(n)} images": wrong when there is one.
BY_HAND = re.compile(
    r"\{(?:count\()?[a-z_.]*(?:len\([^)]*\)|n_[a-z]+|images|rows|count|patients|studies|unmatched|duplicated)\)?(?::,)?\}"
    r" (?:[a-z]+ )?(?:images|rows|keys|predictions|patients|studies|files|runs|trainings|labels|columns|records|queries|groups|models)\b"
)


def test_no_text_puts_a_plural_beside_a_count_by_hand():
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for folder in ("cxr_core", "dashboard")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if BY_HAND.search(line)
    ]
    assert not found, "\n".join(found)
