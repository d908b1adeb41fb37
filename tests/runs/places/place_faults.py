"""Faults of a run at a place: of its engine, its job, whoever looks after it here, the disks and the clock.

After each, ten seconds after everything answers again, the status must be the true one; and no row of figures is lost
or doubled. What is true follows from what was done, and from what the step has written at its place.
"""

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from processes_of_runs import steps_there
from quick_runs_away import start, steps
from soon_true import within

from cxr_core.runs import service
from cxr_core.runs.places.place import Job
from cxr_core.runs.places.registry import get_place

#: Long enough that it goes on after the fault, and short enough to be waited for.
_STEPS = 250
_AWAY_SECONDS = 4.0


class Engine(Protocol):
    """A real cluster on this machine; `keeps_jobs` says whether its jobs outlive its head."""

    keeps_jobs: bool

    def lose(self) -> None: ...

    def bring_back(self) -> None: ...

    def forget(self) -> None: ...


@dataclass(frozen=True)
class Site:
    """Where a fault is tried: the engine, the folder that both sides see, and the file that puts its clock wrong."""

    engine: Engine
    shared: Path
    clock: Path


@dataclass(frozen=True)
class Fault:
    """What was done, and what was wrong afterwards."""

    kind: str
    wrong: tuple[str, ...]


def lost_head(site: Site, draw: random.Random) -> list[str]:
    """The head, or the controller, is killed and comes back; its jobs go with it where it does not outlive them."""
    run = _working(draw)
    site.engine.lose()
    time.sleep(_AWAY_SECONDS)
    site.engine.bring_back()
    return _goes_on(run) if site.engine.keeps_jobs else _has_failed(run)


def lost_record(site: Site, draw: random.Random) -> list[str]:
    """The engine comes back without what it knew of its jobs: it lets them go on, ends them, or they went with it."""
    run = _working(draw)
    site.engine.lose()
    site.engine.forget()
    site.engine.bring_back()
    _until(lambda: not steps_there(run), 120)
    within(lambda: [run] if service.get(run).is_active else [])
    return _goes_on(run) if len(steps(run)) == _STEPS else _has_failed(run)


def killed_step(site: Site, draw: random.Random) -> list[str]:
    """The process that does the work is killed by signal 9."""
    run = _working(draw)
    for pid in steps_there(run):
        _kill(pid)
    return _has_failed(run)


def killed_attendant(site: Site, draw: random.Random) -> list[str]:
    """Whoever looks after the run here is killed; the next look finds another."""
    run = _working(draw)
    _kill(service.get(run).supervisor.pid)
    return _goes_on(run)


def away_for_all_of_it(site: Site, draw: random.Random) -> list[str]:
    """Whoever looks after the run is killed, and nobody looks until its job has ended."""
    run = _working(draw, 60)
    _kill(service.get(run).supervisor.pid)
    _until(lambda: not steps_there(run), 60)
    return _goes_on(run, 60)


def folder_away(site: Site, draw: random.Random) -> list[str]:
    """The shared folder cannot be seen from here for a while; the work goes on there."""
    run = _working(draw)
    with _hidden(site.shared):
        time.sleep(_AWAY_SECONDS)
        said = [] if service.get(run).status == "running" else [f"without its folder it is {service.get(run).status}"]
    return said + _goes_on(run)


def folder_away_at_the_end(site: Site, draw: random.Random) -> list[str]:
    """The shared folder cannot be seen from here when the job ends, for longer than a disk may lag behind."""
    run = _working(draw, 60)
    with _hidden(site.shared):
        _until(lambda: not steps_there(run), 60)
        time.sleep(2 * _AWAY_SECONDS)
        said = [] if service.get(run).is_active else [f"without its folder it is {service.get(run).status}"]
    return said + _goes_on(run, 60)


def full_disk_here(site: Site, draw: random.Random) -> list[str]:
    """The disk of this workspace is full for a while."""
    run = _working(draw)
    with _full(service.folder_of(run).parent):
        time.sleep(_AWAY_SECONDS)
    return _goes_on(run)


def full_disk_there(site: Site, draw: random.Random) -> list[str]:
    """The shared disk is full: the step cannot write its figures, and fails."""
    run = _working(draw)
    with _full(site.shared):
        _until(lambda: not steps_there(run), 60)
    return _has_failed(run)


def handed_over_twice(site: Site, draw: random.Random) -> list[str]:
    """The same leg is submitted once more, as when the answer of the place was lost."""
    run = _working(draw, 60)
    with contextlib.suppress(Exception):  # an engine may refuse a second one of its name
        get_place("cluster").submit(Job(run, 1, site.shared / run))
    return _goes_on(run, 60)


def cancelled_while_it_waits(site: Site, draw: random.Random) -> list[str]:
    """Two runs have all there is; a third waits, and is cancelled."""
    first = [start(steps=60), start(steps=60)]
    _until(lambda: all(service.get(run).status == "running" for run in first), 90)
    third = start(steps=5)
    time.sleep(draw.uniform(0, 3))
    service.cancel(third)
    wrong = within(lambda: _untrue(third, "cancelled"))
    wrong += [] if steps(third) == [] else [f"{third} was cancelled while it waited, and worked"]
    return wrong + _goes_on(first[0], 60) + _goes_on(first[1], 60)


def wrong_clock(site: Site, draw: random.Random) -> list[str]:
    """The clock of the place is off by an hour from somewhere in the run on."""
    run = _working(draw, 60)
    site.clock.write_text(str(draw.choice([-3600, 3600])))
    try:
        wrong = _goes_on(run, 60)
    finally:
        site.clock.unlink()
    worked = service.get(run).seconds_worked(time.time())
    return wrong + ([] if worked is not None and worked < 600 else [f"{run} is said to have worked {worked} s"])


FAULTS: tuple[Callable[[Site, random.Random], list[str]], ...] = (
    *(lost_head, lost_record, killed_step, killed_attendant, away_for_all_of_it, folder_away),
    *(folder_away_at_the_end, full_disk_here, full_disk_there, handed_over_twice, cancelled_while_it_waits),
    wrong_clock,
)


def _working(draw: random.Random, count: int = _STEPS) -> str:
    """Return a run that has begun to work, a moment ago."""
    run = start(steps=count)
    _until(lambda: len(steps(run)) > 2, 120)
    time.sleep(draw.uniform(0, 1))
    return run


def _goes_on(run: str, count: int = _STEPS) -> list[str]:
    """Return what is wrong with a run that nothing was to keep from its end."""
    wrong = within(lambda: [] if service.get(run).status in ("running", "completed") else _untrue(run, "running"))
    service.wait(run, timeout=120)
    return wrong + within(lambda: _untrue(run, "completed")) + _rows(run, list(range(1, count + 1)))


def _has_failed(run: str) -> list[str]:
    """Return what is wrong with a run whose step is dead: all rows that it wrote are here, each once."""
    wrong = within(lambda: _untrue(run, "failed"))
    found = steps(run)
    return wrong + _rows(run, list(range(1, len(found) + 1)))


def _untrue(run: str, expected: str) -> list[str]:
    now = service.get(run)
    return [] if now.status == expected else [f"{run} is {now.status}, not {expected}: {now.reason or now.message}"]


def _rows(run: str, expected: list[int]) -> list[str]:
    found = steps(run)
    return [] if found == expected and found else [f"{run} has {len(found)} rows, up to {found[-1:]}: lost or doubled"]


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _until(found: Callable[[], Any], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.1)


@contextlib.contextmanager
def _hidden(folder: Path) -> Iterator[None]:
    """Let a folder be an empty one for this machine; the engine was started with mounts of its own."""
    subprocess.run(["mount", "-t", "tmpfs", "none", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextlib.contextmanager
def _full(folder: Path) -> Iterator[None]:
    """Let the disk of a folder, which must be a small one, be full."""
    hog = folder / ".hog"
    assert os.statvfs(folder).f_blocks * os.statvfs(folder).f_frsize < 200_000_000, (
        "this disk is too large to be filled"
    )
    with contextlib.suppress(OSError), hog.open("wb", buffering=0) as file:
        for size in (1_000_000, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))
    try:
        yield
    finally:
        hog.unlink()
