"""The command line on runs: listing, waiting, cancelling, resuming, deleting, reading the log."""

import json
import os
import signal
import subprocess
import sys

import pytest

from cxr_core.cli import main
from cxr_core.commands.runs import awaited, progress_bar
from cxr_core.errors import UsageError
from cxr_core.runs import service


def submit(kind="sleep", **config):
    return service.submit(kind, "model", "demo", config, device="cpu", resumable=kind == "sleep")


@pytest.fixture
def json_of(capsys):
    """Give a command --json and return its document, which must be all that it prints."""

    def run(*arguments, status=0):
        assert main([*arguments, "--json"]) == status
        printed = capsys.readouterr()
        assert (printed.err == "") == (status == 0)
        return json.loads(printed.out)

    return run


def test_runs_are_listed_shown_logged_and_deleted(fake_kinds, json_of, capsys):
    first = service.wait(submit(steps=1).run, timeout=30)
    second = service.wait(submit("refuse").run, timeout=30)
    assert [run["run"] for run in json_of("runs")] == [second.run, first.run]
    shown = json_of("runs", "show", first.run)
    assert (shown["status"], shown["result"]) == ("completed", {"slept": 1})
    assert "[run] completed" in json_of("runs", "log", first.run)["log"]
    assert main(["runs", "log", first.run]) == 0
    assert "[run] completed" in capsys.readouterr().out
    json_of("runs", "delete", first.run)
    assert [run["run"] for run in json_of("runs")] == [second.run]
    assert main(["runs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:5] == ["run", "kind", "name", "source", "status"]
    assert lines[1].split()[:5] == [second.run, "refuse", "model", "demo", "failed"]


def test_notes_and_tags_are_kept_listed_by_and_searched(fake_kinds, json_of):
    first = service.wait(submit(steps=1).run, timeout=30)
    child = service.submit("refuse", "model", "demo", {}, parent=first.run)
    assert json_of("runs", "note", first.run, "the", "best one")["notes"] == "the best one"
    assert json_of("runs", "tag", first.run, "paper", " paper ", "u = 0")["tags"] == ["paper", "u = 0"]
    shown = json_of("runs", "show", first.run)
    assert (shown["notes"], shown["tags"], shown["parent"]) == ("the best one", ["paper", "u = 0"], None)
    for asked in (["--tag", "u = 0"], ["--kind", "sleep"], ["--search", "BEST paper"]):
        assert [run["run"] for run in json_of("runs", *asked)] == [first.run]
    assert [run["run"] for run in json_of("runs", "--parent", first.run)] == [child.run]
    assert [run.run for run in service.children(first.run)] == [child.run]
    assert json_of("runs", "tag", first.run)["tags"] == []
    assert json_of("runs", "note", first.run)["notes"] == ""


def test_cancel_waits_for_the_end_and_resume_returns_at_once(fake_kinds, json_of, until):
    run = submit(steps=100).run
    until(lambda: service.get(run).step)
    assert json_of("runs", "cancel", run)["status"] == "cancelled"
    assert json_of("runs", "resume", run)["status"] in ("queued", "running")
    assert service.get(run).is_active


def test_waiting_for_a_run_that_fails_prints_the_run_and_the_reason(fake_kinds):
    answer = awaited(submit("refuse"))
    assert (answer.status, answer.document["status"]) == (1, "failed")
    assert answer.complaint == f"Run {answer.document['run']} failed: The phantom has no lungs."


def test_waiting_for_a_run_that_completes_gives_what_was_asked_of_it(fake_kinds, capsys):
    answer = awaited(submit(steps=1), lambda run: run.result)
    assert (answer.status, answer.document, answer.complaint) == (0, {"slept": 1}, "")
    assert "running" in capsys.readouterr().err


def test_an_interrupt_while_waiting_leaves_the_run_alone_and_says_how_to_cancel_it(fake_kinds, until):
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)  # not so where a shell started the tests with &\n"
        "from cxr_core.runs import service; from cxr_core.commands.runs import awaited\n"
        "run = service.submit('sleep', 'm', 'demo', {}); print(run.run, flush=True)\n"
        "answer = awaited(run); print(answer.status, answer.complaint)"
    )
    waiting = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    run = waiting.stdout.readline().strip()
    until(lambda: service.get(run).step)
    os.kill(waiting.pid, signal.SIGINT)
    out, _ = waiting.communicate(timeout=20)
    assert out.strip() == (
        f"130 The run goes on in the background. Cancel it with `python -m cxr_core runs cancel {run}`."
    )
    assert service.get(run).status == "running"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["show"], "`runs show` needs the ID of a run"),
        (["stop", "x"], "Unknown action 'stop' on runs"),
        (["show", "x"], "Unknown run 'x'"),
        (["log", "x"], "Unknown run 'x'"),
        (["delete", "x"], "Unknown run 'x'"),
        (["note", "x", "text"], "Unknown run 'x'"),
        (["show", "x", "y"], "`runs show` takes one ID"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(fake_kinds, capsys, arguments, sentence):
    assert main(["runs", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(sentence)
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize("tag", ["", "a,b", "a\nb", "x" * 41])
def test_a_wrong_tag_is_refused(fake_kinds, tag):
    run = service.wait(submit(steps=1).run, timeout=30).run
    with pytest.raises(UsageError, match="A tag must be 1 to 40 characters"):
        service.set_tags(run, ["fine", tag])
    with pytest.raises(UsageError, match="at most 10,000 characters"):
        service.set_notes(run, "x" * 10_001)
    assert (service.get(run).tags, service.get(run).notes) == ((), "")


def test_a_child_of_an_unknown_run_is_refused(fake_kinds):
    with pytest.raises(UsageError, match="Unknown run 'x'"):
        service.submit("sleep", "m", "demo", {}, parent="x")
    assert service.list_runs() == []
    assert not (fake_kinds / "runs").exists()


@pytest.mark.parametrize(
    ("done", "bar"), [(0.0, "[                    ]   0 %"), (0.5, "[##########          ]  50 %")]
)
def test_progress_is_a_bar_with_its_percentage(done, bar):
    assert progress_bar(done) == bar
