"""Cores that runs leave to the pages: how many, and that threads which are there move."""

import os
import subprocess
import sys

import pytest

from cxr_core.runs.free_cores import left_to_work


@pytest.mark.parametrize(
    ("cores", "count", "left"),
    [(16, 1, 15), (16, 4, 12), (4, 1, 3), (4, 9, 2), (2, 1, 2), (1, 1, 1)],
)
def test_cores_are_left_where_there_are_enough_and_never_more_than_half(cores, count, left):
    own = set(range(3, 3 + cores))
    found = left_to_work(own, count, served=True)
    assert (len(found), found <= own) == (left, True)
    assert left_to_work(own, count, served=False) == own


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system puts no thread on chosen cores")
def test_threads_that_are_there_and_those_that_come_run_on_the_cores_that_are_left():
    code = """
import os, threading
from cxr_core.runs.free_cores import put_threads_on
go, found = threading.Event(), []
def work():
    go.wait()
    found.append(os.sched_getaffinity(0))
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads: thread.start()
one = {min(os.sched_getaffinity(0))}
put_threads_on(one)
threads.append(threading.Thread(target=work))
threads[-1].start()
go.set()
for thread in threads: thread.join()
assert found == [one] * 4, found
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
