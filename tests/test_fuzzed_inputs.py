"""What comes in from outside, damaged in many ways, is an answer or a sentence: the short form of `make prove`'s."""

import pytest
from fuzzed_doors import DOORS, Door, attempt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxr_core.errors import UsageError


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_what_comes_in_is_an_answer_or_a_sentence(door):
    @settings(max_examples=25, deadline=None, database=None, derandomize=True, suppress_health_check=[*HealthCheck])
    @given(door.inputs)
    def tried(value):
        attempt(door, value)

    tried()


def told(folder, value):
    raise UsageError(value)


def fallen(folder, value):
    raise KeyError(value)


def stray(folder, value):
    (folder.parent / "stray").touch()


def test_the_judge_tells_a_sentence_from_what_is_none():
    assert attempt(Door("", st.none(), told), "Say what is wrong.") == "Say what is wrong."
    assert attempt(Door("", st.none(), lambda folder, value: None), 1) == "answer"
    with pytest.raises(KeyError):
        attempt(Door("", st.none(), fallen), 1)
    with pytest.raises(AssertionError, match="written outside"):
        attempt(Door("", st.none(), stray), 1)
