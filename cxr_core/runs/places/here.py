"""This machine as a place: a job is a process group in the session of its supervisor, and ends with it."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from cxr_core.runs.identity import ProcessIdentity, identity_of
from cxr_core.runs.launch import start_step
from cxr_core.runs.memory import MemoryWatch
from cxr_core.runs.places.place import JobNews, JobState
from cxr_core.runs.session import kill, terminate


class Here:
    """The step of one run on this machine.

    What is lost with its supervisor needs no finding again: the step does not outlive it (`cxr_core.runs.orphan`).
    """

    def __init__(self, run_id: str, log: Path, scratch: Path, devices: Sequence[str]) -> None:
        """Start the step; `OSError` when it cannot be started."""
        self._process: subprocess.Popen[bytes] = start_step(run_id, log, scratch, devices)
        self._memory = MemoryWatch(self._process.pid)

    @property
    def group(self) -> int:
        """The number of its process group, which is that of its first process."""
        return self._process.pid

    @property
    def identity(self) -> ProcessIdentity | None:
        """Which process it is; None when it has ended already."""
        return identity_of(self._process.pid)

    def state(self) -> JobNews:
        """Say whether the step still works."""
        self._memory.look()
        return JobNews(JobState.RUNNING if self._process.poll() is None else JobState.ENDED)

    def ask_to_stop(self) -> None:
        """Ask all its processes to end, with time for a checkpoint."""
        terminate(self.group)

    def stop(self) -> bool:
        """Kill what is left of it, and say whether nothing is: the device is free only then."""
        return kill(os.getsid(0), self.group)

    def status(self) -> int:
        """Return the exit status of the step once it has ended; -n: by signal n."""
        return self._process.wait()

    def out_of_memory(self, status: int) -> str | None:
        """Return the reason of an end with this exit status, if it was memory."""
        return self._memory.reason(status)
