"""Questions that are computed in another process: their answers, what is heard meanwhile, their end, and the line."""

import operator
import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from cxr_core.calculator.calculator import Calculator
from cxr_core.calculator.messages import Failure
from cxr_core.caller import VIEWER, Caller, acting_for, caller
from cxr_core.errors import Choice, RunError, UndecidedError, UnknownNameError, UsageError
from cxr_core.progress import each_told, hand_over, receiving, telling
from cxr_core.sources.registry import get_source

pytestmark = pytest.mark.slow
OWNER = """
import os, time
from cxr_core.calculator.calculator import Calculator
calculator = Calculator()
print(calculator.computed(os.getpid), flush=True)
calculator.computed(time.sleep, 600)
"""


class NobodyWaits(BaseException):
    """What Streamlit raises in a session that has ended."""


@pytest.fixture
def calculator(workspace):
    made = Calculator(most_waiting=2)
    yield made
    made.close()


def until(true, seconds=60):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


def in_a_thread(calculator, task, *arguments):
    """Ask in a thread of its own; return the thread, what it heard, and what it was answered."""
    heard, answered = [], []

    def ask():
        with telling(lambda progress: heard.append(progress.words)):
            answered.append(calculator.computed(task, *arguments))

    thread = threading.Thread(target=ask)
    thread.start()
    return thread, heard, answered


def test_nothing_runs_before_the_first_question_and_one_other_process_answers_all(calculator):
    assert calculator.pid is None
    found = {calculator.computed(os.getpid) for _ in range(3)}
    assert found == {calculator.pid}
    assert found != {os.getpid()}
    calculator.close()
    assert not psutil.pid_exists(found.pop())


def test_how_far_it_is_and_what_is_final_are_heard_as_if_it_were_computed_here(calculator):
    told, parts = [], []
    with telling(lambda progress: told.append((progress.what, progress.done, progress.total))):
        assert calculator.computed(each_told, "Labels", str, [3, 1, 2]) == ["3", "1", "2"]
    assert [one for one in told if one[0]] == [("Labels", 0, 3), ("Labels", 1, 3), ("Labels", 2, 3)]
    with receiving(parts.append):
        calculator.computed(hand_over, {"label": "edema"})
    assert parts == [{"label": "edema"}]


def test_what_goes_wrong_there_is_raised_here(calculator):
    with pytest.raises(UnknownNameError, match="Unknown source 'nowhere'"):
        calculator.computed(get_source, "nowhere")
    with pytest.raises(ValueError, match="invalid literal"):
        calculator.computed(int, "x")
    with pytest.raises(Exception, match="pickle"):
        calculator.computed(threading.Lock)
    assert calculator.computed(operator.add, 1, 2) == 3


def test_an_error_that_is_a_question_keeps_its_answers():
    asked = UndecidedError("Which?", "columns", [Choice("this one", "--path A", {"columns.path": "A"})])
    again = Failure.of(asked).error()
    assert (type(again), str(again), vars(again)) == (UndecidedError, str(asked), vars(asked))


def test_a_question_is_asked_on_behalf_of_whoever_asks(calculator):
    who = Caller("ada@example.org", VIEWER, frozenset({"ada@example.org"}))
    with acting_for(who):
        found = calculator.computed(caller)
    assert (found, found.names) == (who, who.names)


def test_a_crash_is_one_sentence_and_the_next_question_starts_anew(calculator):
    first = calculator.computed(os.getpid)
    with pytest.raises(RunError, match="The process that computes long questions was killed by SIGKILL"):
        calculator.computed(signal.raise_signal, signal.SIGKILL)
    assert calculator.computed(os.getpid) != first


def test_a_process_that_ended_for_want_of_work_is_started_anew(workspace):
    calculator = Calculator(idle_seconds=0.1)
    first = calculator.computed(os.getpid)
    until(lambda: calculator.pid is None)
    assert calculator.computed(os.getpid) != first
    calculator.close()


def test_work_that_tells_ends_once_nobody_waits_and_its_process_stays(calculator):
    first = calculator.computed(os.getpid)

    def gone(progress):
        if progress.done == 2:
            raise NobodyWaits

    with pytest.raises(NobodyWaits), telling(gone):
        calculator.computed(each_told, "Sleeps", time.sleep, [0.05] * 2000)
    assert calculator.computed(os.getpid) == first
    until(lambda: not psutil.Process(first).children())


def test_work_that_tells_nothing_ends_with_its_process_once_nobody_waits(calculator):
    first = calculator.computed(os.getpid)

    def gone(progress):
        raise NobodyWaits

    with pytest.raises(NobodyWaits), telling(gone):
        calculator.computed(time.sleep, 600)
    assert calculator.computed(os.getpid) != first


def test_whoever_waits_hears_how_many_are_before_him_and_the_line_is_bounded(calculator):
    slow, _, _ = in_a_thread(calculator, time.sleep, 3)
    until(lambda: len(calculator._turns._line) == 1)
    second, heard_second, answered_second = in_a_thread(calculator, operator.add, 1, 2)
    until(lambda: heard_second)
    third, heard_third, answered_third = in_a_thread(calculator, operator.add, 3, 4)
    until(lambda: heard_third)
    with pytest.raises(UsageError, match="2 long questions wait for this server already"):
        calculator.computed(operator.add, 5, 6)
    for thread in (slow, second, third):
        thread.join()
    assert heard_second[0] == "1 question before yours"
    assert heard_third[0] == "2 questions before yours"
    assert (answered_second, answered_third) == ([3], [7])


def test_whoever_leaves_the_line_holds_nobody_up(calculator):
    slow, _, _ = in_a_thread(calculator, time.sleep, 3)
    until(lambda: len(calculator._turns._line) == 1)

    def gone(progress):
        raise NobodyWaits

    with pytest.raises(NobodyWaits), telling(gone):
        calculator.computed(operator.add, 1, 2)
    assert len(calculator._turns._line) == 1
    slow.join()
    assert calculator.computed(operator.add, 1, 2) == 3


def test_the_process_ends_with_its_owner_however_that_ends(workspace):
    with subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True) as owner:
        computes = int(owner.stdout.readline())
        time.sleep(0.5)
        owner.kill()
    until(lambda: not psutil.pid_exists(computes))
