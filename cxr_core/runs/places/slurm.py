"""Slurm: a run is a batch job, told of by squeue, or by sacct once the controller has forgotten it.

The commands run on this machine, or where a prefix such as `ssh cluster` takes them. A job's name is the run's ID with
the number of its leg, so that it is found again whatever became of the process that submitted it.
"""

import os
import shlex
import subprocess

from cxr_core.errors import PlaceError
from cxr_core.runs.places.definition import PlaceDefinition
from cxr_core.runs.places.place import Job, JobNews, JobState, PlaceTerms
from cxr_core.runs.places.script import job_script, starter_text

#: `prefix` is a command that hands its last argument to a shell where Slurm is; `options` are sbatch's.
KEYS = ("prefix", "options")

_SECONDS = 30.0
#: How long before its time limit a job hears of it, for a checkpoint.
_NOTICE_SECONDS = 60
#: What is ours to say.
_OURS = ("job-name", "output", "error", "open-mode", "requeue", "no-requeue", "parsable", "signal", "array", "wrap")
#: Variables of this process beside its own settings, among which may be secrets.
_OF_HERE = ("PYTHONPATH", "PYTHONSAFEPATH", "PYTHONUNBUFFERED", "TMPDIR")
_WAITING = {"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT"}
_RUNNING = {"RUNNING", "COMPLETING", "RESIZING", "SIGNALING", "STAGE_OUT", "STOPPED", "SUSPENDED"}
_ENDED = {
    *("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL"),
    *("OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "TIMEOUT"),
}


class Slurm:
    """A Slurm cluster."""

    def __init__(self, definition: PlaceDefinition) -> None:
        """Read the definition, or raise `SettingsError`."""
        definition.check_keys(KEYS)
        self._definition = definition
        try:
            self._prefix = tuple(shlex.split(definition.text("prefix")))
        except ValueError:
            raise definition.error("prefix", "must be a command as a shell reads it; a quote is not closed") from None
        self._options = definition.texts("options")
        for option in self._options:
            name = option.removeprefix("--").partition("=")[0]
            if not option.startswith("--") or name in _OURS:
                raise definition.error("options", f"must be options of sbatch such as --time=24:00:00, none of {_OURS}")

    def terms(self) -> PlaceTerms:
        """Nothing is billed, and disks may be shared."""
        return PlaceTerms()

    def submit(self, job: Job) -> None:
        """Hand a job to sbatch; it is put back into the queue when it is preempted or its node fails."""
        options = [
            f"--job-name={job.name}",
            *self._output(job),
            "--open-mode=append",
            "--requeue",
            f"--signal=B:TERM@{_NOTICE_SECONDS}",
            f"--comment={job.run}",
            *([f"--ntasks={job.workers}"] if job.workers > 1 else []),
            *self._options,
        ]
        starter = starter_text("slurm_workers", "SlurmWorkers", workers=job.workers)
        script = job_script(self._definition, job, "$SLURM_JOB_ID", starter)
        self._run(["sbatch", "--parsable", *options], script)

    @staticmethod
    def _output(job: Job) -> list[str]:
        """Return where the job prints to; on an object store, its courier brings that into the run's log."""
        return ["--output=/dev/null"] if job.location else [f"--output={str(job.log).replace('%', '%%')}"]

    def state(self, job: Job) -> JobNews:
        """Say how a job is: of several of one name, the one that goes on, else the first."""
        found = self._listed(job) or self._accounted(job)
        return min(found, key=lambda news: _ORDER.index(news.state), default=JobNews(JobState.UNKNOWN))

    def stop(self, job: Job) -> None:
        """End a job at once."""
        self._run(["scancel", "--quiet", f"--name={job.name}"])

    def answer(self, script: str) -> str:
        """Return what a script prints on the machine where Slurm's commands are, once its controller answers."""
        self._run(["sinfo", "--noheader", "--format=%P"])
        return self._run(["sh"], script)

    def _listed(self, job: Job) -> list[JobNews]:
        """Return what the controller says of jobs of this name; it forgets them some minutes after their end."""
        lines = self._run(["squeue", "--noheader", "--states=all", f"--name={job.name}", "--format=%T|%r"])
        return [_news(*line.split("|", 1)) for line in lines.splitlines() if "|" in line]

    def _accounted(self, job: Job) -> list[JobNews]:
        """Return what the accounting says; a cluster may have none, which is no answer and no error."""
        asked = ["sacct", "-X", "-n", "-P", "-S", "now-30days", f"--name={job.name}", "--format=State,ExitCode"]
        try:
            lines = self._run(asked)
        except PlaceError:
            return []
        return [_news(*line.split("|", 1)) for line in lines.splitlines() if "|" in line]

    def _run(self, command: list[str], given: str = "") -> str:
        """Return what a command of Slurm prints, or raise `PlaceError`."""
        words = [*self._prefix, shlex.join(command)] if self._prefix else command
        name = self._definition.name
        try:
            done = subprocess.run(
                words, input=given, capture_output=True, text=True, timeout=_SECONDS, check=False, env=_environment()
            )
        except FileNotFoundError:
            raise PlaceError(
                f"The place {name} needs {words[0]}, which this machine lacks. Install Slurm's commands "
                f"(Debian: slurm-client), or set prefix to reach a machine that has them."
            ) from None
        except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError) as error:
            raise PlaceError(f"The place {name} does not answer: {command[0]}: {_brief(str(error))}.") from error
        if done.returncode != 0:
            said = (done.stderr.strip() or done.stdout.strip() or f"status {done.returncode}").splitlines()[-1]
            raise PlaceError(f"The place {name} refused or does not answer: {command[0]}: {_brief(said)}.")
        return done.stdout


_ORDER = (JobState.RUNNING, JobState.WAITING, JobState.ENDED, JobState.UNKNOWN)


def _news(state: str, reason: str) -> JobNews:
    """Return the state in our words, and in Slurm's; what no version of Slurm that we know says counts as running."""
    word = state.split(maxsplit=1)[0].rstrip("+") if state.split() else state
    reason = "" if reason in ("None", "0:0", "") else f" ({reason.strip('()')})"
    told = f"{word}{reason}"
    if word in _WAITING:
        return JobNews(JobState.WAITING, told)
    return JobNews(JobState.ENDED if word in _ENDED else JobState.RUNNING, told)


def _environment() -> dict[str, str]:
    """Return what Slurm's commands see, and sbatch hands on to the job: nothing that is of this server alone."""
    return {name: text for name, text in os.environ.items() if not name.startswith("CXR_") and name not in _OF_HERE}


def _brief(text: str) -> str:
    return text.strip().rstrip(".")[:200]
