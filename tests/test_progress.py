import io
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from cxr_core.commands.progress_bar import progress_bar
from cxr_core.progress import Progress, each_told, hand_over, receiving, telling


class NobodyWaits(BaseException):
    """What Streamlit raises in a session that has ended."""


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_parts_are_told_as_they_are_done_and_results_keep_their_order():
    told = []
    with telling(told.append):
        assert each_told("Labels", lambda part: part * 2, [3, 1, 2]) == [6, 2, 4]
    assert [(one.done, one.total) for one in told] == [(0, 3), (1, 3), (2, 3)]
    assert each_told("Labels", str, []) == []


def test_work_is_told_in_the_thread_that_waits():
    threads = []
    with telling(lambda progress: threads.append(threading.current_thread())):
        each_told("Labels", str, range(3))
    assert set(threads) == {threading.current_thread()}


def test_parts_that_have_not_begun_never_do_once_nobody_waits(monkeypatch):
    begun, nobody_waits, rest_is_called_off = [], threading.Event(), threading.Event()

    class Pool(ThreadPoolExecutor):
        def shutdown(self, wait=True, *, cancel_futures=False):
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            rest_is_called_off.set()
            super().shutdown(wait=wait)

    def work(part):
        begun.append(part)
        if part == 1:
            nobody_waits.wait(60)
        if part > 1:
            rest_is_called_off.wait(60)

    def tell(progress):
        if progress.done == 1:
            nobody_waits.set()
            raise NobodyWaits

    monkeypatch.setattr("cxr_core.progress.cores", lambda: 1)
    monkeypatch.setattr("cxr_core.progress.ThreadPoolExecutor", Pool)
    with pytest.raises(NobodyWaits), telling(tell):
        each_told("Labels", work, range(1000))
    # One may have begun while the word went round; the others are never taken up.
    assert len(begun) <= 3


def test_nobody_has_to_wait_and_an_error_of_a_part_is_the_callers():
    assert each_told("Labels", len, ["ab"]) == [2]
    with pytest.raises(ZeroDivisionError):
        each_told("Labels", lambda part: 1 / part, [1, 0, 2])


@pytest.mark.parametrize(
    ("done", "seconds", "words"),
    [(0, 1.0, "Labels: 0 of 14 done"), (7, 3.0, "Labels: 7 of 14 done, about 3 s left")],
)
def test_the_time_left_is_that_of_the_parts_so_far(done, seconds, words):
    assert Progress("Labels", done, 14, seconds).words.startswith(words)


def test_the_bar_is_drawn_on_a_terminal_alone_and_gone_in_the_end():
    terminal, file = Terminal(), io.StringIO()
    for out in (terminal, file):
        with progress_bar(out):
            each_told("Labels", str, range(2))
    assert "[###############...............] Labels: 1 of 2 done" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")
    assert file.getvalue() == ""


def test_parts_that_are_final_are_handed_over_in_order_to_whoever_shows_them():
    parts, told = [], []
    with receiving(parts.append):
        each_told("Labels", lambda part: part * 2, [3, 1], lambda part, result: hand_over((part, result)))
    each_told("Labels", str, [3, 1], lambda part, result: told.append(part))
    hand_over("nobody receives it")
    assert (parts, told) == ([(3, 6), (1, 2)], [3, 1])
