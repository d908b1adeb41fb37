"""The command line: `python -m cxr_core COMMAND ARGUMENTS OPTIONS`, options in any order.

Exit status 0: done. 1: a run that was waited for failed or was cancelled. 2: a mistake of the user, told in one line.
"""

import contextlib
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from cxr_core import __version__
from cxr_core.commands.next_step import next_step
from cxr_core.commands.output import as_json
from cxr_core.commands.parsing import PROGRAM, Answer, Command
from cxr_core.commands.progress_bar import progress_bar
from cxr_core.errors import CxrError, UnknownNameError, UsageError
from cxr_core.workspace import tightened

#: command -> (module, constant): a module is loaded only when its command is given, so that light commands start fast.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("data", "DEMO"),
    "sources": ("data", "SOURCES"),
    "distribution": ("distribution", "DISTRIBUTION"),
    "models": ("data", "MODELS"),
    "import": ("imports", "IMPORT"),
    "split": ("data", "SPLIT"),
    "train": ("train", "TRAIN"),
    "sweep": ("train", "SWEEP"),
    "runs": ("runs", "RUNS"),
    "predict": ("predict", "PREDICT"),
    "policies": ("policies", "POLICIES"),
    "evaluate": ("figures", "EVALUATE"),
    "thresholds": ("thresholds", "THRESHOLDS"),
    "gaps": ("gaps", "GAPS"),
    "images": ("images", "IMAGES"),
    "doubts": ("doubts", "DOUBTS"),
    "show": ("show", "SHOW"),
    "index": ("images", "INDEX"),
    "compare": ("figures", "COMPARE"),
    "seeds": ("seeds", "SEEDS"),
    "report": ("report", "REPORT_COMMAND"),
    "meaning": ("meaning", "MEANING"),
    "ensemble": ("ensemble", "ENSEMBLE"),
    "export": ("export", "EXPORT"),
    "journal": ("journal", "JOURNAL"),
    "backup": ("backup", "BACKUP"),
    "restore": ("backup", "RESTORE"),
    "accelerators": ("data", "ACCELERATORS"),
    "places": ("places", "PLACES"),
    "completion": ("completion", "COMPLETION"),
}
_GLOBAL_FLAGS, _GLOBAL_OPTIONS = ("--json",), ("--source",)
_SUPERVISE, _STEP, _STEP_THERE, _COURIER = "run-supervise", "run-step", "run-step-there", "run-courier"
_WORKER_THERE, _SHOW = "run-worker-there", "run-show"
#: Set by argcomplete's part in the shell, when Tab is pressed.
_ASKED_BY_A_SHELL = "_ARGCOMPLETE"


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the command line and return its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if _ASKED_BY_A_SHELL in os.environ:
        _complete()
    if given[:1] and given[0] in (_SUPERVISE, _STEP, _STEP_THERE, _WORKER_THERE, _COURIER, _SHOW):
        return _process_of_a_run(*given)
    try:
        return _carry_out(given)
    except CxrError as error:
        return _refuse(str(error))
    except BrokenPipeError:  # the reader has seen enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _refuse(f"{error.filename or 'The system'}: {error.strerror or error}.")
    except KeyboardInterrupt:
        return _refuse("Interrupted.", 130)


def _carry_out(given: list[str]) -> int:
    if given == ["--version"]:
        sys.stdout.write(f"CXR Lab {__version__}\n")
        return 0
    name, rest = _split(given)
    if name in ("", "help"):
        sys.stdout.write(_overview() + "\n")
        return 0
    command = command_named(name)
    try:
        parsed = command.parse(rest)
    except SystemExit:  # --help was asked for and printed
        return 0
    with contextlib.suppress(CxrError):  # wrong settings are told by whatever needs them
        _say(tightened())
    with progress_bar():
        answer = command.execute(parsed)
    _give(answer, parsed.json)
    if not parsed.json and answer.status in (0, 1):
        _say(next_step(name, parsed, answer.document))
    return answer.status


def _give(answer: Answer, json: bool) -> None:
    text = as_json(answer.document) if json else answer.text()
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
    _say(answer.complaint)


def _complete() -> None:
    from cxr_core.commands.completion import offer

    offer(COMMANDS, command_named)


def _split(given: list[str]) -> tuple[str, list[str]]:
    """Return the command and everything else; the options that every command has may stand before it."""
    before: list[str] = []
    rest = list(given)
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option in ("-h", "--help"):
            return "", []
        if option not in _GLOBAL_FLAGS and option.partition("=")[0] not in _GLOBAL_OPTIONS:
            raise UsageError(f"The command must come first, before {option}. See `{PROGRAM} --help`.")
        before.append(option)
        if option in _GLOBAL_OPTIONS and rest:
            before.append(rest.pop(0))
    if not rest and given:
        raise UsageError(f"A command is missing. See `{PROGRAM} --help`.")
    return (rest[0] if rest else ""), rest[1:] + before


def command_named(name: str) -> Command:
    """Return a command, whose module is loaded now."""
    if name not in COMMANDS:
        raise UnknownNameError("command", name, list(COMMANDS))
    module, constant = COMMANDS[name]
    command: Command = getattr(import_module(f"cxr_core.commands.{module}"), constant)
    return command


def _overview() -> str:
    lines = [f"usage: {PROGRAM} COMMAND ARGUMENTS OPTIONS", ""]
    lines += [f"  {name:<13} {command_named(name).help}" for name in COMMANDS]
    more = f"Every command takes --source NAME and --json. More: {PROGRAM} COMMAND --help; {PROGRAM} --version"
    return "\n".join([*lines, "", more])


def _refuse(message: str, status: int = 2) -> int:
    _say(message)
    return status


def _say(message: str) -> None:
    """Write one line for people beside the answer."""
    if message:
        sys.stderr.write(" ".join(message.split()) + "\n")


def _process_of_a_run(role: str, run_id: str = "", *more: str) -> int:
    """Be one of the processes of a run; they are started by the engine, not by people."""
    if role == _COURIER:  # it has neither a store nor anything to load for the work
        from cxr_core.runs.places.courier import carry

        return carry(run_id, *more)
    if role == _SHOW:
        from cxr_core.runs.places.object_folder import ObjectFolder

        sys.stdout.write((ObjectFolder(run_id).read(more[0]) or b"").decode())
        return 0
    from cxr_core.runs.store import RunStore
    from cxr_core.settings import settings

    store = RunStore(settings().home)
    if role != _SUPERVISE:
        from cxr_core.runs.places.step_there import run_step_there
        from cxr_core.runs.places.worker_there import run_worker_there
        from cxr_core.runs.step import run_step
        from cxr_core.tasks.kinds import STEPS

        if role == _STEP:
            status = run_step(store, run_id, STEPS)
        else:
            status = (run_step_there if role == _STEP_THERE else run_worker_there)(STEPS, run_id, *more)
        sys.stdout.flush()
        sys.stderr.flush()
        # All is written; what TensorFlow does when the interpreter goes down takes seconds, and may crash.
        os._exit(status)
    # Loads little: every queued run has a supervising process.
    if store.get(run_id).is_away:
        from cxr_core.runs.places.attendant import Attendant

        Attendant(store, run_id, settings()).supervise()
    else:
        from cxr_core.runs.supervisor import Supervisor

        Supervisor(store, run_id, settings()).supervise()
    return 0
