"""The process that computes maps, from its start to its end, asked what needs no network."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from cxr_core.errors import ModelFileError, RunError
from cxr_core.models.activation_worker import Questions
from cxr_core.models.warm_worker import WarmWorker
from cxr_core.progress import telling

pytestmark = pytest.mark.slow
ABSENT = {"model": "absent.h5", "stamp": "", "random": False, "jpg": ""}
OWNER = """
import sys, time
from cxr_core.errors import ModelFileError
from cxr_core.models.warm_worker import WarmWorker
worker = WarmWorker()
try:
    worker.ask({"model": "absent.h5", "stamp": "", "random": False, "jpg": ""})
except ModelFileError:
    print(worker.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def worker():
    made = WarmWorker()
    yield made
    made.close()


def asked(worker):
    with pytest.raises(ModelFileError, match=r"absent\.h5 does not exist"):
        worker.ask(ABSENT)
    return worker.pid


def stopped(worker):
    """Let the process stand still, so that it answers nothing."""
    pid = asked(worker)
    os.kill(pid, signal.SIGSTOP)
    return pid


def until(true):
    while not true():
        time.sleep(0.02)


def test_nothing_runs_before_the_first_question_and_one_process_answers_all(worker):
    assert worker.pid is None
    first = asked(worker)
    assert [asked(worker), asked(worker)] == [first, first]
    worker.close()
    assert not psutil.pid_exists(first)
    assert worker.pid is None


def test_a_crash_is_one_sentence_for_who_waits_and_the_next_question_starts_anew(worker):
    pid = stopped(worker)
    errors = []

    def ask():
        try:
            worker.ask(ABSENT)
        except RunError as error:
            errors.append(str(error))

    waiting = threading.Thread(target=ask)
    waiting.start()
    until(lambda: worker._waiting)
    os.kill(pid, signal.SIGKILL)
    waiting.join()
    assert errors == ["The process that computes where a model looks was killed by SIGKILL. Ask again: it starts anew."]
    assert asked(worker) != pid


def test_who_stops_waiting_is_let_go_at_once_and_the_process_serves_the_next(worker):
    class Gone(BaseException):
        pass

    def tell(_):
        raise Gone

    pid = stopped(worker)
    with pytest.raises(Gone), telling(tell):
        worker.ask(ABSENT)
    os.kill(pid, signal.SIGCONT)
    assert asked(worker) == pid


def test_a_question_that_was_taken_back_is_not_begun():
    read = threading.Event()
    lines = [json.dumps(one) for one in ({"id": 1}, {"id": 2}, {"cancel": 1}, {"id": 3}, {"cancel": 3})]
    questions = Questions(lines, read.set)
    read.wait()
    assert questions.next(0) == {"id": 2}
    assert questions.next(0) is None


def test_an_idle_process_ends_and_the_next_question_starts_another():
    worker = WarmWorker(idle_seconds=0.0)
    first = asked(worker) or -1
    until(lambda: worker.pid is None)
    assert not psutil.pid_exists(first)
    asked(worker)
    until(lambda: worker.pid is None)


def test_the_process_ends_with_its_owner_however_that_ends():
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True)
    pid = int(owner.stdout.readline())
    assert psutil.pid_exists(pid)
    owner.kill()
    owner.communicate()
    until(lambda: not psutil.pid_exists(pid))
