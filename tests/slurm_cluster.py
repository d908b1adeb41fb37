"""A real Slurm on this machine, of Debian's packages: munged, slurmctld and slurmd under a configuration of their own."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel")
_CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
CredType=cred/munge
SlurmctldPort={controller_port}
SlurmdPort={node_port}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
ReturnToService=2
KillWait=3
MinJobAge=300
MessageTimeout=5
SchedulerParameters=sched_interval=2,bf_interval=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def why_not():
    """Return why Slurm cannot be started here; "" where it can."""
    missing = [program for program in PROGRAMS if _program(program) is None]
    if missing:
        return f"Slurm is not installed ({missing[0]} is missing): apt-get install slurm-wlm munge"
    return "" if os.geteuid() == 0 else "Slurm's daemons are started by root alone"


@contextlib.contextmanager
def running_slurm(folder: Path) -> Iterator["SlurmCluster"]:
    """A Slurm of this machine alone; the test is skipped where it is not installed."""
    if reason := why_not():
        pytest.skip(reason)
    cluster = SlurmCluster(folder)
    try:  # what was started goes, also where the rest of it could not be
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


class SlurmCluster:
    """A controller and one node of two CPUs, which run as long as a test wants them to."""

    keeps_jobs = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.configuration = folder / "slurm.conf"
        self._first_job = 1

    def start(self) -> None:
        for name in ("state", "spool", "munge"):
            (self.folder / name).mkdir(mode=0o700)
        key = self.folder / "munge" / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        ports = dict(zip(("controller_port", "node_port"), free_ports(2), strict=True))
        self.configuration.write_text(_CONFIGURATION.format(host=_host(), folder=self.folder, **ports))
        munge = self.folder / "munge"
        names = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        self._run("munged", "--force", *(f"--{option}={munge / name}" for option, name in names.items()))
        self.start_controller()
        self._start_node()
        self._await_node()

    def _start_node(self) -> None:
        """Start the node with mounts of its own, as another machine has them: what is mounted here later is not there."""
        command = ["--mount", "--propagation", "private", str(_program("slurmd")), "-f", str(self.configuration)]
        self._run("unshare", *command)

    def start_controller(self) -> None:
        self._run("slurmctld", "-f", str(self.configuration))

    def kill_controller(self) -> None:
        _kill(self.folder / "slurmctld.pid")

    def await_saved_state(self) -> None:
        """Wait until the controller has written what it knows now: within five seconds, or it has done so already.

        What is written in the second after was perhaps begun before. A controller that is killed too early starts a job
        a second time once it is back, and its node takes no more jobs then.
        """
        file, since = self.folder / "state" / "job_state", time.time() + 1
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and not (file.exists() and file.stat().st_mtime >= since):
            time.sleep(0.2)

    def forget_jobs(self) -> None:
        """Let the controller lose what it knows of all jobs; it is dead meanwhile."""
        for file in (self.folder / "state").glob("job_state*"):
            file.unlink()
        # As its manual asks for then: the node remembers the numbers that were given before.
        self._first_job += 1000
        lines = [line for line in self.configuration.read_text().splitlines() if not line.startswith("FirstJobId")]
        self.configuration.write_text("\n".join([*lines, f"FirstJobId={self._first_job}", ""]))

    def lose(self) -> None:
        """Lose the controller; what it knew until now it knows when it is back."""
        self.await_saved_state()
        self.kill_controller()

    def bring_back(self) -> None:
        """Start the controller, and return once it answers and has its node."""
        self.start_controller()
        self._await_node("idle", "mix", "alloc")

    def forget(self) -> None:
        self.forget_jobs()

    def requeue(self, name: str) -> None:
        """Put a job back into the queue, as when its machine goes to another; it begins anew some seconds later."""
        self.ask("scontrol", "requeue", self.ask("squeue", "--noheader", f"--name={name}", "--format=%i").strip())

    def give_node_back(self) -> None:
        """Let the node take jobs where a fault has made it refuse them, as who looks after a Slurm would."""
        if "drain" in self._node_state():
            self.ask("scontrol", "update", f"nodename={_host()}", "state=resume")
            self._await_node("idle", "mix", "alloc")

    def cancel_all(self) -> None:
        self.ask("scancel", "--user=root")

    def stop(self) -> None:
        for file in ("slurmctld.pid", "slurmd.pid", "munge/pid"):
            _kill(self.folder / file)
        for pid in self._steps():  # they outlive the daemons, and their jobs them
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _steps(self) -> list[int]:
        """Return the processes that look after the steps of jobs, and those steps' own."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.name() == "slurmstepd" and process.cwd() == str(self.folder):
                    found += [*(child.pid for child in process.children(recursive=True)), process.pid]
        return found

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"SLURM_CONF": str(self.configuration)}

    def ask(self, program: str, *arguments: str) -> str:
        return self._run(program, *arguments)

    def _run(self, program: str, *arguments: str) -> str:
        command = [_program(program), *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{program}: {done.stderr}"
        return done.stdout

    def _await_node(self, *states: str) -> None:
        """Wait until the node is in one of these states: idle, where none is named."""
        deadline = time.monotonic() + 60
        while not any(state in self._node_state() for state in states or ("idle",)):
            assert time.monotonic() < deadline, (self.folder / "slurmctld.log").read_text()[-2000:]
            time.sleep(0.2)

    def _node_state(self) -> str:
        try:
            return self.ask("sinfo", "--noheader", "--format=%T")
        except AssertionError:  # it does not answer yet
            return ""


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


def _host() -> str:
    return socket.gethostname().partition(".")[0]


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _kill(file: Path) -> None:
    """Kill the process whose number stands in a file, and wait until it is gone."""
    try:
        pid = int(file.read_text())
        os.kill(pid, signal.SIGKILL)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return
    deadline = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
