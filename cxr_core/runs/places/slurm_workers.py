"""Workers of one run as the tasks of a step of its Slurm job, started by srun; for whoever is inside that job."""

import os
import subprocess

from cxr_core.runs.places.crew import HOST_VARIABLE, NUMBER_VARIABLE

#: In the shell of a task: srun numbers tasks from 0; machines of one allocation know each other by their names.
_ON_ONE_MACHINE = f'export {NUMBER_VARIABLE}=$SLURM_PROCID {HOST_VARIABLE}=127.0.0.1; exec "$@"'
_ON_SEVERAL = f'export {NUMBER_VARIABLE}=$SLURM_PROCID {HOST_VARIABLE}=$SLURMD_NODENAME; exec "$@"'


class SlurmWorkers:
    """Starts the workers of the job that this process belongs to."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def await_room(self) -> None:
        """Return at once: a batch job begins when all its tasks have room."""

    def start(self, command: list[str]) -> "_Step":
        """Start the command as so many tasks; when one is killed, Slurm ends the others."""
        shell = _ON_ONE_MACHINE if os.environ.get("SLURM_JOB_NUM_NODES", "1") == "1" else _ON_SEVERAL
        options = [f"--ntasks={self._workers}", "--kill-on-bad-exit=1", "--unbuffered"]
        if cores := os.environ.get("SLURM_CPUS_PER_TASK"):  # which srun does not take over
            options.append(f"--cpus-per-task={cores}")
        return _Step(subprocess.Popen(["srun", *options, "sh", "-c", shell, "sh", *command]))


class _Step:
    """A step of the job."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def are_over(self) -> bool:
        return self._process.poll() is not None

    def is_one_lost(self) -> bool:
        return False  # Slurm ends the others at once
