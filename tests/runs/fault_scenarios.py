"""What can go wrong with a run, done for real, and what must hold within ten seconds: used by the tests at one moment
each, and by `benchmarks/faults.py` at many random ones.

Every scenario takes the moment, in seconds after the first sign of progress, and returns the seconds that it took until
the truth was known. It raises `AssertionError` when something does not hold. The kinds of runs are those of
`fake_kinds`, which must be on PYTHONPATH.
"""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from cxr_core.runs import service
from cxr_core.runs.identity import PROC, identity_of
from cxr_core.settings import settings

WITHIN = 10.0
STARTER = """
import sys, time
from pathlib import Path
from cxr_core.runs import service
while len(sys.argv) > 2 and not Path(sys.argv[2]).exists():
    time.sleep(0.001)
print(service.submit(sys.argv[1], "m", "demo", {"steps": 5}, device="cpu", resumable=True).run, flush=True)
time.sleep(600)
"""
KILLED = "Its process was killed by signal 9 (SIGKILL), sent from outside."
SUPERVISOR_KILLED = "The process that supervised the run was killed"


def submit(kind="save", **config):
    return service.submit(kind, "m", "demo", config, device="cpu", resumable=True).run


def until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.02)
    return value


def working(run_id, moment=0.0):
    """Return a run a moment after its first sign of progress."""
    until(lambda: service.get(run_id).step, 60, "the first step")
    time.sleep(moment)
    return service.get(run_id)


def processes_of(run_id):
    """Return the pids of all processes that have the ID on their command line and are no zombies."""
    found = []
    for entry in PROC.iterdir():
        try:
            if entry.name.isdigit() and run_id.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return [pid for pid in found if identity_of(pid) is not None]


def check_end(run_id, status, reason, since):
    """See that a run has ended as it must within ten seconds, leaving no process and nothing half written."""
    run = until(lambda: (r := service.get(run_id)) and not r.is_active and r, WITHIN, f"the end of {run_id}")
    seconds = time.monotonic() - since
    assert seconds < WITHIN, f"known only after {seconds:.1f} s"
    assert (run.status, reason in (run.reason or "")) == (status, True), f"{run.status}: {run.reason}"
    left = [pid for pid in processes_of(run_id) if pid != run.supervisor.pid]
    assert left == [], "the run has ended, but its processes have not"
    until(lambda: processes_of(run_id) == [], WITHIN, "the end of the supervisor")
    check_files(service.folder_of(run_id))
    return seconds


def check_files(folder):
    """See that nothing in a run's folder is half written."""
    assert list(folder.rglob("*.tmp")) == []
    json.loads((folder / "config.json").read_text())
    for line in (folder / "metrics.jsonl").read_text().splitlines() if (folder / "metrics.jsonl").exists() else []:
        json.loads(line)
    for checkpoint in folder.glob("checkpoints/newest"):
        content = checkpoint.read_bytes()
        assert (len(content), len(set(content))) == (3_000_000, 1), "a torn checkpoint"


def check_device_is_free(follower):
    """See that the run that waited behind has had the device."""
    run = service.wait(follower, timeout=30)
    assert run.status == "completed", f"the next run {run.status}: {run.reason}"
    return run


class Dashboard:
    """A process that starts a run and goes on, as the dashboard does."""

    def __init__(self, kind="save", barrier=None):
        command = [sys.executable, "-c", STARTER, kind, *([str(barrier)] if barrier else [])]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    @property
    def run(self):
        return self.process.stdout.readline().strip()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def trainer_killed(moment):
    run, follower = working(submit()), submit("sleep", steps=1)
    time.sleep(moment)
    since = time.monotonic()
    os.kill(run.process.pid, signal.SIGKILL)
    seconds = check_end(run.run, "failed", KILLED, since)
    check_device_is_free(follower)
    return seconds


def supervisor_killed(moment):
    """The trainer notices, writes its checkpoint, and ends; the device is free only then."""
    run, follower = working(submit()), submit("sleep", steps=1)
    time.sleep(moment)
    since = time.monotonic()
    os.kill(run.supervisor.pid, signal.SIGKILL)
    until((service.folder_of(run.run) / "stopped").exists, 5, "the trainer's checkpoint")
    seconds = check_end(run.run, "failed", SUPERVISOR_KILLED, since)
    assert check_device_is_free(follower).started >= service.get(run.run).ended - 0.001
    return seconds


def dashboard_killed(moment):
    """The run goes on as if nothing had happened."""
    dashboard = Dashboard("save")
    run = working(dashboard.run, moment)
    since = time.monotonic()
    dashboard.kill()
    before = service.get(run.run)
    assert before.status == "running"
    until(lambda: service.get(run.run).step > before.step, WITHIN, "further progress")
    seconds = time.monotonic() - since
    service.cancel(run.run)
    check_end(run.run, "cancelled", "Cancelled by the user.", time.monotonic())
    return seconds


def all_killed(moment):
    dashboard = Dashboard("save")
    run, follower = working(dashboard.run), submit("sleep", steps=1)
    time.sleep(moment)
    since = time.monotonic()
    for pid in (run.process.pid, run.supervisor.pid, dashboard.process.pid):
        os.kill(pid, signal.SIGKILL)
    dashboard.kill()
    seconds = check_end(run.run, "failed", SUPERVISOR_KILLED, since)
    check_device_is_free(follower)
    return seconds


def pid_recycled(moment):
    """Another process has got the number of the dead supervisor: it is not taken for it, and is left alone."""
    run = working(submit(), moment)
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, start_new_session=True
    ) as impostor:
        since = time.monotonic()
        for pid in (run.supervisor.pid, *processes_of(run.run)):
            if identity_of(pid) is not None:
                os.kill(pid, signal.SIGKILL)
        until(lambda: processes_of(run.run) == [], 5, "the end of all processes")
        fake = json.dumps(run.supervisor.as_dict() | {"pid": impostor.pid})
        with sqlite3.connect(settings().home / "runs.sqlite") as connection:
            connection.execute("UPDATE runs SET supervisor = ?, process = ? WHERE run = ?", (fake, fake, run.run))
        connection.close()
        seconds = check_end(run.run, "failed", SUPERVISOR_KILLED, since)
        assert impostor.poll() is None, "the process with the same number was killed"
        impostor.stdin.close()
    check_device_is_free(submit("sleep", steps=1))
    return seconds


def out_of_memory(_moment):
    run, follower = submit("hoard"), submit("sleep", steps=1)
    until(lambda: service.get(run).status != "queued", 60, "the start")
    seconds = check_end(run, "failed", "memory", time.monotonic())
    check_device_is_free(follower)
    return seconds


def two_starts_at_once(_moment):
    """Two processes submit at the same instant; their runs never share the device."""
    barrier = settings().home.parent / "go"
    barrier.unlink(missing_ok=True)
    dashboards = [Dashboard("sleep", barrier) for _ in range(2)]
    time.sleep(1.0)
    barrier.touch()
    runs = [dashboard.run for dashboard in dashboards]
    first, second = sorted((service.wait(run, timeout=60) for run in runs), key=lambda run: run.started)
    for dashboard in dashboards:
        dashboard.kill()
    assert (first.status, second.status) == ("completed", "completed")
    assert second.started >= first.ended, "both had the device at once"
    seconds = second.started - first.ended
    assert seconds < WITHIN
    return seconds


def hundred_queued(_moment, count=100):
    """A hundred runs wait with a supervisor each: listed quickly, cancelled at once, served in their order."""
    first = working(submit("sleep", steps=100_000)).run
    queued = [submit("sleep", steps=1) for _ in range(count)]
    since = time.monotonic()
    listed = service.list_runs()
    assert time.monotonic() - since < 2.0, "the list is slow"
    assert [run.run for run in listed] == [*reversed(queued), first]
    assert {run.status for run in listed[:-1]} == {"queued"}
    kept = [queued[0], queued[count // 2], queued[-1]]
    for run in queued:
        if run not in kept:
            assert service.cancel(run).status == "cancelled"
    os.kill(service.get(kept[1]).supervisor.pid, signal.SIGKILL)  # whoever is dead in the queue holds up nobody
    since = time.monotonic()
    service.cancel(first)
    seconds = check_end(first, "cancelled", "Cancelled by the user.", since)
    served = [service.wait(run, timeout=60) for run in kept]
    assert [run.status for run in served] == ["completed", "failed", "completed"]
    assert served[0].ended <= served[2].started
    until(lambda: not any(processes_of(run) for run in queued), WITHIN, "the end of all processes")
    return seconds


def clock_jumps_back(_moment):
    """All clocks of the processes of the run go back by an hour while it works; see `fake_kinds`."""
    clock = Path(os.environ["FAKE_CLOCK"])
    clock.write_text("0")
    steps = int(60 + 100 * settings().heartbeat)  # long enough for some signs of life after the jump
    run, follower = working(submit("sleep", steps=steps)), submit("sleep", steps=1)
    clock.write_text("-3600")
    beaten = until(lambda: (beat := service.get(run.run).heartbeat) < run.heartbeat and beat, WITHIN, "the jump")
    until(lambda: service.get(run.run).heartbeat > beaten, WITHIN, "signs of life after the jump")
    ended = service.wait(run.run, timeout=60)
    assert (ended.status, ended.step) == ("completed", steps)
    assert ended.created <= ended.started <= ended.ended
    after = check_device_is_free(follower)
    assert after.created <= after.started <= after.ended
    assert [found.run for found in service.list_runs()][:2] == [follower, run.run]
    since = time.monotonic()
    later = working(submit())
    os.kill(later.supervisor.pid, signal.SIGKILL)
    return check_end(later.run, "failed", SUPERVISOR_KILLED, max(since, time.monotonic() - 1))


def endless_log_line(_moment):
    """A line of 100 MB: the log is cut, its end is read in no time, and the run goes on and is cancelled."""
    run = working(submit("talk"))
    log = service.folder_of(run.run) / "log.txt"
    until(lambda: log.stat().st_size < 40_000_000, WITHIN, "the cut of the log")
    since = time.monotonic()
    tail = service.log_tail(run.run)
    assert time.monotonic() - since < 0.5, "the tail is slow"
    assert 0 < len(tail) <= 64_000
    since = time.monotonic()
    service.cancel(run.run)
    return check_end(run.run, "cancelled", "Cancelled by the user.", since)


def disk_full(_moment):
    """A file system of 64 MB of its own, in a mount namespace that ends with the scenario's process."""
    folder = settings().home.parent / "small-disk"
    folder.mkdir(exist_ok=True)
    ways = (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"])
    mount = 'mount -t tmpfs -o size=64m tmpfs "$1" && exec "$2" "$3" "$1"'
    said = []
    for way in ways:
        command = [*way, "sh", "-c", mount, "sh", str(folder), sys.executable, __file__]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        if found := re.search(r"^known after (\S+) s$", done.stdout, re.MULTILINE):
            return float(found[1])
        said.append(done.stderr.strip()[-3000:])
        assert "Traceback" not in done.stderr, done.stderr
    raise AssertionError("this test needs a tmpfs of 64 MB, which could not be mounted: " + " / ".join(said))


def _on_small_disk(folder):
    """Do what `disk_full` is about, with the workspace on the small disk."""
    assert shutil.disk_usage(folder).total <= 64 * 1024 * 1024
    os.environ["CXR_HOME"] = str(folder / "workspace")
    run, follower = submit("hog-disk"), submit("sleep", steps=1)
    hog = service.folder_of(run) / "hog"
    until(
        lambda: hog.exists() and (shutil.disk_usage(folder).free == 0 or not service.get(run).is_active),
        60,
        "the full disk",
    )
    seconds = check_end(run, "failed", "The disk is full", time.monotonic())
    service.wait(follower, timeout=30)  # it may fail for the same reason, but it must not wait for ever
    assert not service.get(follower).is_active
    hog.unlink()
    run = service.wait(
        service.resume(follower).run if service.get(follower).status == "failed" else follower, timeout=30
    )
    assert run.status == "completed", run.reason
    sys.stdout.write(f"known after {seconds:.2f} s\n")


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in (
        *(trainer_killed, supervisor_killed, dashboard_killed, all_killed, pid_recycled, out_of_memory, disk_full),
        *(two_starts_at_once, hundred_queued, clock_jumps_back, endless_log_line),
    )
}

if __name__ == "__main__":
    _on_small_disk(Path(sys.argv[1]))
