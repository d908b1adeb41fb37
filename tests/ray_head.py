"""A real Ray on this machine: one head with two CPUs, whose jobs run here."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from slurm_cluster import free_ports


def why_no_ray():
    """Return why Ray cannot be started here; "" where it can."""
    return "" if _program().exists() else "Ray is not installed: pip install 'cxr-lab[ray]'"


@contextlib.contextmanager
def running_ray() -> Iterator["RayHead"]:
    """A Ray of this machine alone; the test is skipped where it is not installed."""
    if reason := why_no_ray():
        pytest.skip(reason)
    head = RayHead()
    try:
        head.start()
        yield head
    finally:
        head.stop()


class RayHead:
    """A head that runs as long as a test wants it to, at one address whenever it is started."""

    keeps_jobs = False

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="ray-"))  # Ray's sockets have names of 107 letters at most
        self._ports = free_ports(5)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._ports[1]}"

    def start(self) -> None:
        gcs, dashboard, agent, client, metrics = self._ports
        options = {
            **{"port": gcs, "dashboard-port": dashboard, "dashboard-agent-listen-port": agent},
            **{"ray-client-server-port": client, "metrics-export-port": metrics},
            **{"dashboard-host": "127.0.0.1", "node-ip-address": "127.0.0.1", "num-cpus": 2},
            **{"temp-dir": self._folder, "object-store-memory": 80_000_000},
        }
        command = [str(_program()), "start", "--head", "--block", "--disable-usage-stats", "--include-dashboard=true"]
        command += [f"--{name}={value}" for name, value in options.items()]
        if os.geteuid() == 0:  # mounts of its own, as another machine has them
            command = ["unshare", "--mount", "--propagation", "private", *command]
        with (self._folder / "start.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 120
        while not self._answers():
            assert time.monotonic() < deadline, (self._folder / "start.log").read_text()[-2000:]
            assert self._process.poll() is None, (self._folder / "start.log").read_text()[-2000:]
            time.sleep(0.3)

    def kill(self) -> None:
        """Kill the head and every process of it, its jobs' own among them, as when its machine is lost."""
        if self._process is None:
            return
        family = [self._process.pid, *_below(self._process.pid), *_with_words(str(self._folder))]
        family += [pid for one in family for pid in _below(one)]
        for pid in dict.fromkeys(family):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def lose(self) -> None:
        self.kill()

    def bring_back(self) -> None:
        self.start()

    def forget(self) -> None:
        """Nothing is left to forget: what runs on it went with the head."""

    def stop(self) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/api/jobs/", timeout=5) as answer:
                return isinstance(json.loads(answer.read()), list)
        except (OSError, ValueError):
            return False


def _program() -> Path:
    return Path(sys.executable).with_name("ray")


def _below(pid: int) -> list[int]:
    with contextlib.suppress(psutil.Error):
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    return []


def _with_words(words: str) -> list[int]:
    """Return the processes whose command line names the folder that this head alone has."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(words in one for one in process.cmdline()):
                found.append(process.pid)
    return found
