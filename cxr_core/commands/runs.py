"""`runs`: what is going on, and what to do about it; and the waiting of the commands that start a run."""

import argparse
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from cxr_core.commands.output import as_table, flattened, shown
from cxr_core.commands.parsing import PROGRAM, Answer, Command, Parser
from cxr_core.errors import UsageError
from cxr_core.runs import service
from cxr_core.runs.network_disk import workspace_warning
from cxr_core.runs.repair import Repaired, repair
from cxr_core.runs.run import COMPLETED, HERE, Run
from cxr_core.runs.store import RunStore
from cxr_core.settings import settings
from cxr_core.tasks.machine_devices import resume
from cxr_core.words import counted, duration, percent

_ACTIONS = ("show", "cancel", "resume", "delete", "log", "metrics", "note", "tag", "repair")
_SECONDS_TO_KILL = 10.0
#: What `--on` says where a run is started.
ON_HELP = f"where it works: {HERE} (the default), or a place of cxr.toml; see `{PROGRAM} places`"
_BAR_WIDTH = 20


def _arguments(parser: Parser) -> None:
    parser.add_argument("action", nargs="?", metavar="ACTION", help=f"{', '.join(_ACTIONS)}; without it, list the runs")
    parser.add_argument("run", nargs="?", metavar="ID", help="the run to act on")
    parser.add_argument(
        "words", nargs="*", metavar="TEXT", help="for `note` the text, for `tag` the tags; none: remove"
    )
    parser.add_argument("--on", metavar="PLACE", default="", help="for `resume`: where the run goes on")
    parser.add_argument("--kind", help="list only runs of this kind, such as train")
    parser.add_argument("--parent", metavar="ID", help="list only the runs that are parts of this run")
    parser.add_argument("--tag", help="list only runs with this tag")
    parser.add_argument("--search", metavar="TEXT", default="", help="list only runs in which all these words occur")


def _execute(arguments: argparse.Namespace) -> Answer:
    if arguments.action is None:
        return _list(service.list_runs(arguments.kind, arguments.parent, arguments.tag, arguments.search))
    if arguments.action not in _ACTIONS:
        raise UsageError(f"Unknown action {arguments.action!r} on runs. Choose one of: {', '.join(_ACTIONS)}.")
    if arguments.action == "repair" and arguments.run is None:
        return _repair()
    if arguments.run is None:
        raise UsageError(f"`runs {arguments.action}` needs the ID of a run. List them with `{PROGRAM} runs`.")
    if arguments.words and arguments.action not in ("note", "tag"):
        raise UsageError(f"`runs {arguments.action}` takes one ID. Received also: {' '.join(arguments.words)!r}.")
    if arguments.action == "repair":
        raise UsageError(f"`runs repair` takes no ID: it rebuilds the whole store. Received: {arguments.run!r}.")
    if arguments.on and arguments.action != "resume":
        raise UsageError(f"--on says where a run is resumed, and `runs {arguments.action}` does not.")
    actions: dict[str, Callable[[str], Answer]] = {
        "show": lambda run: _one(service.get(run)),
        "cancel": _cancel,
        "resume": lambda run: _one(resume(run, arguments.on)),
        "delete": _delete,
        "log": _log,
        "metrics": _metrics,
        "note": lambda run: _one(service.set_notes(run, " ".join(arguments.words))),
        "tag": lambda run: _one(service.set_tags(run, arguments.words)),
    }
    return actions[arguments.action](arguments.run)


def _list(runs: list[Run]) -> Answer:
    headers = ("run", "kind", "name", "source", "status", "step", "steps", "loss", "val_loss", "val_auc")
    rows = [[getattr(run, header) for header in headers] for run in runs]
    empty = f"There is no such run. List all with `{PROGRAM} runs`; start one with `{PROGRAM} train`."
    warning = workspace_warning() or ""
    return Answer(
        [run.as_json() for run in runs], lambda: as_table(headers, rows) if rows else empty, complaint=warning
    )


def _one(run: Run) -> Answer:
    return Answer(service.document(run), lambda: run_text(run))


def _cancel(run_id: str) -> Answer:
    service.cancel(run_id)
    return _one(service.wait(run_id, timeout=settings().cancel_grace + _SECONDS_TO_KILL))


def _delete(run_id: str) -> Answer:
    run = service.get(run_id)
    service.delete(run_id)
    return Answer(run.as_json(), lambda: f"Deleted run {run_id} with its folder.")


def _repair() -> Answer:
    done = repair(RunStore(settings().home))
    return Answer(asdict(done), lambda: _repair_text(done))


def _repair_text(done: Repaired) -> str:
    traces = f", {done.from_traces} of them from log and metrics alone" if done.from_traces else ""
    aside = f" The old file is {done.kept_aside}." if done.kept_aside else ""
    lost = f" No runs, or not readable: {', '.join(done.unreadable)}." if done.unreadable else ""
    return f"Rebuilt the store of {counted(done.runs, 'run')}{traces}.{aside}{lost}"


def _log(run_id: str) -> Answer:
    text = service.log_tail(run_id)
    return Answer({"run": run_id, "log": text}, lambda: text.rstrip("\n"))


def _metrics(run_id: str) -> Answer:
    rows = service.read_metrics(service.get(run_id).run)
    headers = list(dict.fromkeys(name for row in rows for name in row))
    empty = f"Run {run_id} has written no metrics."
    return Answer(
        rows, lambda: as_table(headers, [[row.get(name) for name in headers] for row in rows]) if rows else empty
    )


def run_text(run: Run) -> str:
    """Return a run as lines of name and value; what is not known is left out."""
    known = flattened(run.as_json())
    width = max(map(len, known))
    return "\n".join(f"{key:<{width}}  {shown(value)}" for key, value in known.items())


def awaited(run: Run, completed: Callable[[Run], Any] = service.document) -> Answer:
    """Wait for a run with its progress on standard error; a run that did not complete makes exit status 1.

    Of a completed run --json prints what `completed` makes of it, of another the run itself.
    """
    progress = _Progress()
    try:
        ended = service.wait(run.run, seen=progress.tell)
    except KeyboardInterrupt:
        progress.end()
        message = f"The run goes on in the background. Cancel it with `{PROGRAM} runs cancel {run.run}`."
        return Answer(service.document(run), lambda: run_text(run), status=130, complaint=message)
    progress.end()
    if ended.status != COMPLETED:
        complaint = f"Run {ended.run} {ended.status}: {ended.reason or 'no reason was told'}"
        return Answer(service.document(ended), lambda: run_text(ended), status=1, complaint=complaint)
    return Answer(completed(ended), lambda: run_text(ended))


class _Progress:
    """A line on standard error: rewritten on a terminal, else a new one at each epoch and tenth of the work."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._told: tuple[Any, ...] | str = ()

    def tell(self, run: Run) -> None:
        """Show how far a run is."""
        line = _progress_line(run)
        tenth = 10 * (run.step or 0) // run.steps if run.steps else 0
        news = line if self._live else (run.status, run.epoch, tenth)
        if not run.is_active or news == self._told:
            return
        self._told = news
        sys.stderr.write(f"\r{_fitted(line)}" if self._live else f"{line}\n")
        sys.stderr.flush()

    def end(self) -> None:
        """Leave the line."""
        if self._live and self._told:
            sys.stderr.write(f"\r{_fitted('')}\r")


def _fitted(line: str) -> str:
    """Cut or fill a line to the terminal's width, so that it covers the one before and never wraps."""
    width = shutil.get_terminal_size().columns - 1
    return f"{line[:width]:<{width}}"


def progress_bar(done: float) -> str:
    """Return a share of 0 to 1 as a bar, as in `[########            ]  40 %`."""
    return f"[{'#' * round(done * _BAR_WIDTH):<{_BAR_WIDTH}}] {percent(done, 0):>5}"


def _progress_line(run: Run) -> str:
    parts = [f"{run.run} {run.status}"]
    if run.steps:
        parts[0] += f" {progress_bar(run.share_done)}"
        parts.append(f"{run.step or 0:,} of {run.steps:,}")
    if run.loss is not None:
        parts.append(f"loss {run.loss:.4f}")
    if run.val_auc is not None:
        parts.append(f"validation AUC {run.val_auc:.3f}")
    if run.message:
        parts.append(run.message)
    if run.eta_seconds is not None:
        parts.append(f"{duration(run.eta_seconds)} left")
    return ", ".join(parts)


RUNS = Command(
    "runs",
    "List the runs; show, cancel, resume, delete, note or tag one; read its log or metrics; repair.",
    _arguments,
    _execute,
)
