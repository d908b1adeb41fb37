"""SIGKILL at random moments, for whoever supervises a run, works, starts it, serves pages, or stores verdicts on films.

After each kill, within ten seconds, the status of every run must be the true one: what was killed has failed, or had
ended before; what was not goes on or has completed; no process of an ended run is left; no row of metrics is lost or
doubled, and no verdict is lost.
"""

import asyncio
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psutil
from page_session import PageSession
from soon_true import within

from cxr_core.runs import service
from cxr_core.runs.run import Run
from cxr_core.tasks.reading import desk, said

_LATEST_SECONDS = 1.5
STEPS = 30
#: Starts runs and looks at them, as a dashboard does, until it is killed.
_FACE = """
import time
from cxr_core.runs import service
for number in range(50):
    print(service.submit("sleep", "model", "demo", {{"steps": {steps}}}).run, flush=True)
    service.list_runs()
    time.sleep(0.2)
"""


#: Reads one film after the other, and tells of each verdict once it is stored.
_READER = """
from cxr_core.tasks.images import ImageQuery, images
from cxr_core.tasks.reading import Given, desk, store
own = desk("demo", "killed", "{reader}", "edema")
for film in images(ImageQuery("demo", limit=200)).listed:
    store(own, film, Given("present"))
    print(film.path, flush=True)
"""


@dataclass(frozen=True)
class Kill:
    """What was killed, how many seconds after it was there, and what was wrong afterwards."""

    victim: str
    seconds: float
    wrong: tuple[str, ...]


def kill_worker(draw: random.Random) -> Kill:
    """Kill the process that does the work of a run."""
    return _kill_of_a_run("worker", draw, lambda run: run.process and run.process.pid)


def kill_supervisor(draw: random.Random) -> Kill:
    """Kill the process that looks after a run."""
    return _kill_of_a_run("supervisor", draw, lambda run: run.supervisor.pid)


def kill_face(draw: random.Random) -> Kill:
    """Kill a process that starts runs one after the other, in the midst of it; those that it started go on."""
    before = {run.run for run in service.list_runs()}
    wait = draw.uniform(0, _LATEST_SECONDS)
    told = _told_until_killed(_FACE.format(steps=STEPS), wait)
    wrong = within(lambda: untrue(before))
    runs = {run.run: run for run in service.list_runs() if run.run not in before}
    wrong += [f"{run} is lost" for run in told if run not in runs]
    # The last one may have had nobody yet when its starter died: then it must have failed.
    ended = [service.wait(run, timeout=120) for run in told[:-1] if run in runs]
    wrong += [f"{run.run} is {run.status}: {run.reason}" for run in ended if run.status != "completed"]
    return Kill("face", wait, (*wrong, *rows(runs)))


def kill_dashboard(draw: random.Random) -> Kill:
    """Kill a dashboard just after somebody pressed on a run's page what resumes it; what it resumed goes on."""
    wait, run = draw.uniform(0, _LATEST_SECONDS), stopped_run()
    with dashboard() as (url, process):
        asyncio.run(_pressed(url, run, wait))
    wrong = within(lambda: untrue(set(), run))
    ended = service.wait(run, timeout=120)
    # Killed before it heard the click, it leaves the run as it was; with the run in its own hands, it has failed.
    unheard = (ended.leg, ended.status) == (1, "cancelled")
    in_hand = (ended.status, ended.supervisor.pid) == ("failed", process.pid)
    if ended.status != "completed" and not unheard and not in_hand:
        wrong.append(f"{run} is {ended.status} in its leg {ended.leg}: {ended.reason}")
    return Kill("dashboard", wait, (*wrong, *rows({run: ended})))


@contextlib.contextmanager
def dashboard() -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Start a dashboard as a person does, yield its address and process, and kill it in the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"CXR_PORT": str(port), "STREAMLIT_SERVER_HEADLESS": "true"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, "-m", "dashboard"], env=environment, **quiet) as process:
        try:
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.kill()


def stopped_run(steps: int = STEPS) -> str:
    """Return a run that was cancelled as soon as it worked, and can be resumed."""
    run = service.submit("sleep", "model", "demo", {"steps": steps}, resumable=True).run
    _until(lambda: 1 if service.get(run).status == "running" else None, run)
    service.cancel(run)
    service.wait(run, timeout=60)
    return run


async def page_of(url: str, run: str) -> PageSession:
    """Open the page of a run as soon as the dashboard answers, and draw it."""
    deadline = time.monotonic() + 60
    while True:
        try:
            session = await PageSession.opened(url, "runs", {"run": run})
            break
        except OSError:
            assert time.monotonic() < deadline, f"{url} does not answer"
            await asyncio.sleep(0.1)
    await session.draw()
    return session


async def _pressed(url: str, run: str, wait: float) -> None:
    """Press on the page of a run what resumes it, and return so many seconds later, whatever has come of it."""
    session = await page_of(url, run)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(session.press("Resume run"), wait)
    await session.close()


def _kill_of_a_run(victim: str, draw: random.Random, pid_of: Callable[[Run], int | None]) -> Kill:
    run = service.submit("sleep", "model", "demo", {"steps": STEPS})
    wait = draw.uniform(0, _LATEST_SECONDS)
    pid = _until(lambda: (run := service.get(run_id)) and (pid_of(run) if run.is_active else -1), run_id := run.run)
    time.sleep(wait)
    with contextlib.suppress(ProcessLookupError):
        if pid and pid > 0:
            os.kill(pid, signal.SIGKILL)
    wrong = within(lambda: _not_ended(run.run) + untrue(set(), run.run))
    ended = service.get(run.run)
    if ended.status == "completed" and len(service.read_metrics(run.run)) != STEPS:
        wrong.append(f"{run.run} is said to be completed after {len(service.read_metrics(run.run))} steps")
    return Kill(victim, wait, (*wrong, *rows({run.run: ended})))


def _until(found: Callable[[], int | None], run_id: str) -> int | None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if pid := found():
            return pid
        time.sleep(0.02)
    raise AssertionError(f"{run_id} did not begin")


def _not_ended(run_id: str) -> list[str]:
    run = service.get(run_id)
    return [f"{run_id} is {run.status}"] if run.is_active else []


def untrue(before: set[str], only: str = "") -> list[str]:
    """Return which statuses are not what the processes say."""
    wrong, alive = [], _command_lines()
    for run in service.list_runs():
        if run.run in before or (only and run.run != only):
            continue
        works = any(run.run in line for line in alive)
        if run.is_active and not psutil.pid_exists(run.supervisor.pid):
            wrong.append(f"{run.run} is {run.status}, and nobody looks after it")
        if not run.is_active and works:
            wrong.append(f"{run.run} is {run.status}, and a process of it is there")
    return wrong


def _command_lines() -> list[list[str]]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.cmdline())
    return found


def rows(runs: dict[str, Run]) -> list[str]:
    """Return which runs have lost or doubled a row of their metrics."""
    wrong = []
    for run in runs:
        with contextlib.suppress(FileNotFoundError):
            steps = [row["step"] for row in service.read_metrics(run)]
            if steps != list(range(1, len(steps) + 1)):
                wrong.append(f"{run} has the rows {steps}")
    return wrong


def _told_until_killed(code: str, wait: float) -> list[str]:
    """Carry out code in a process, kill it so many seconds after its first word, and return all its words."""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        told = [process.stdout.readline().strip()] if process.stdout else []
        time.sleep(wait)
        process.kill()
        return told + (process.stdout.read().split() if process.stdout else [])


def kill_reader(draw: random.Random) -> Kill:
    """Kill a process that stores verdicts on the films of the demo; each that it told of must be there."""
    reader, wait = f"reader {draw.randrange(10**9)}", draw.uniform(0, _LATEST_SECONDS)
    told = _told_until_killed(_READER.format(reader=reader), wait)
    kept = said(desk("demo", "killed", reader, "edema"))
    wrong = [f"the verdict on {path} is lost" for path in told if kept.get(path) != "present"]
    if len(kept) > len(told) + 1:
        wrong.append(f"{len(kept)} verdicts are there, {len(told)} were told of")
    return Kill("reader", wait, tuple(wrong))


VICTIMS = {
    "worker": kill_worker,
    "supervisor": kill_supervisor,
    "face": kill_face,
    "reader": kill_reader,
    "dashboard": kill_dashboard,
}
