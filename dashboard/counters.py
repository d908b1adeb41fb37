"""What the server has done so far, as Prometheus reads it; numbers alone, no name of a source, run or person."""

import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator

import psutil

from cxr_core.errors import CxrError
from cxr_core.runs import service
from cxr_core.runs.run import ACTIVE, CANCELLED, COMPLETED, FAILED
from cxr_core.settings import settings


class Counters:
    """Counts of one server process; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: Counter[int] = Counter()
        self._sessions = 0
        self._all_sessions = 0

    def answered(self, status: int) -> None:
        """Count an answer by its status."""
        with self._lock:
            self._answers[status] += 1

    def session_begins(self) -> None:
        """Count a browser that connects."""
        with self._lock:
            self._sessions += 1
            self._all_sessions += 1

    def session_ends(self) -> None:
        """Count a browser that leaves."""
        with self._lock:
            self._sessions -= 1

    def text(self) -> str:
        """Return all in the text format of Prometheus, version 0.0.4."""
        return "".join(f"{line}\n" for line in (*self._of_requests(), *_of_process(), *_of_workspace()))

    def _of_requests(self) -> Iterator[str]:
        with self._lock:
            answers, sessions, so_far = dict(self._answers), self._sessions, self._all_sessions
        yield from _head("cxr_requests_total", "counter", "Answers to requests and web sockets by status.")
        yield from (f'cxr_requests_total{{status="{status}"}} {n}' for status, n in sorted(answers.items()))
        yield from _figure("cxr_sessions", "gauge", "Browsers that are connected.", sessions)
        yield from _figure("cxr_sessions_total", "counter", "Browsers that have connected.", so_far)


def _of_process() -> Iterator[str]:
    process = psutil.Process()
    cpu = process.cpu_times()
    yield from _figure("process_cpu_seconds_total", "counter", "CPU time of the server.", cpu.user + cpu.system)
    memory = process.memory_info().rss
    yield from _figure("process_resident_memory_bytes", "gauge", "Memory of the server.", memory)
    yield from _figure("process_start_time_seconds", "gauge", "When it started.", process.create_time())


def _of_workspace() -> Iterator[str]:
    """Yield what a look at the workspace tells; nothing where it cannot be used, which /healthz says."""
    home = settings().home
    try:
        runs = Counter(run.status for run in service.list_runs())
        free = shutil.disk_usage(home if home.exists() else home.parent).free
    except (CxrError, OSError):
        return
    yield from _head("cxr_runs", "gauge", "Runs of the workspace by status.")
    yield from (f'cxr_runs{{status="{status}"}} {runs[status]}' for status in (*ACTIVE, COMPLETED, FAILED, CANCELLED))
    yield from _figure("cxr_workspace_free_bytes", "gauge", "Free space where the workspace lies.", free)


def _head(name: str, kind: str, told: str) -> tuple[str, str]:
    return f"# HELP {name} {told}", f"# TYPE {name} {kind}"


def _figure(name: str, kind: str, told: str, value: float) -> tuple[str, ...]:
    return *_head(name, kind, told), f"{name} {value}"


def healthy() -> tuple[bool, float]:
    """Say whether the workspace can be used, and how many seconds a look at its runs took."""
    begun = time.monotonic()
    try:
        service.list_runs()
    except (CxrError, OSError):
        return False, time.monotonic() - begun
    return True, time.monotonic() - begun
