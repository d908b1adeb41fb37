import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from cxr_core import __version__
from cxr_core.cli import main
from cxr_core.commands.ensemble import ENSEMBLE
from cxr_core.commands.output import as_json, as_table
from cxr_core.commands.runs import run_text
from cxr_core.commands.train import TRAIN
from cxr_core.runs import identity, service
from cxr_core.runs.run import Run
from cxr_core.schema import LABELS, VALUES
from cxr_core.warehouse.parquet import write_table
from cxr_core.words import duration

SOURCE_TOML = 'kind = "local"\nsynthetic = true\nlabels = ["labels_*.parquet"]\n'


@pytest.fixture
def source(workspace):
    """Four labelled images in a source `tiny`: one of each value, the same for each label."""
    folder = workspace / "sources" / "tiny"
    keys = {"patient": range(4), "study": 1, "image": 1, "view": 0, "dataset": 1}
    frame = pd.DataFrame({"path": list("abcd"), **keys, **{label: range(4) for label in LABELS}})
    write_table(folder / "labels_valid.parquet", frame)
    write_table(folder / "predictions" / "a_predictions.parquet", frame, "logit", {"view": "frontal"})
    (folder / "source.toml").write_text(SOURCE_TOML)
    return "tiny"


def refused(capsys, *arguments):
    """Return the one line with which a command is refused."""
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.endswith("\n")
    assert printed.err.count("\n") == 1
    return printed.err


def document(capsys, *arguments):
    assert main([*arguments, "--json"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return json.loads(printed.out)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--json"], "A command is missing"),
        (["bogus"], "Unknown command 'bogus'"),
        (["--view", "frontal", "distribution"], "The command must come first"),
        (["distribution", "--frontal"], "Unrecognized arguments: --frontal"),
        (["distribution", "extra"], "Unrecognized arguments: extra"),
        (["distribution", "--vie", "frontal"], "Unrecognized arguments: --vie"),
        (["distribution", "--view"], "Argument --view: expected one argument"),
        (["distribution", "--view", "up"], "Unknown view 'up'"),
        (["distribution", "--source", "nope"], "Unknown source 'nope'"),
        (["distribution"], "The demo is not built yet"),
        (["evaluate"], "The following arguments are required: MODEL"),
        (["evaluate", "nobody", "--source", "tiny"], "Unknown model 'nobody'"),
        (["train", "--u", "much"], "Argument --u: invalid float value"),
        (["train", "--policy", "hopeful"], "Unknown policy 'hopeful'"),
        (["train", "--policy", "missing.toml"], "The policy file missing.toml cannot be read"),
        (["train", "--policy", "hybrid", "--w", "1"], "--policy takes the place of --u and --w"),
        (["train", "--u", "7", "--source", "tiny"], "u must be a number from 0 to 1. Received: 7.0"),
        (["train", "--batch-size", "-1", "--source", "tiny"], "The batch size must be a whole number from 1"),
        (["train", "--repeat", "0", "--source", "tiny"], "The seeds to repeat over must number from 1 to 100"),
        (["predict"], "The following arguments are required: --model"),
        (["import", "labels", "x.csv", "--layout", "auto", "--source", "new"], "x.csv does not exist. Check the path."),
        (["sweep", "--u", "0", "1"], "The following arguments are required: --w"),
        (["sweep", "--u", "0", "--w", "2", "--source", "tiny"], "w must be a number from 0 to 1. Received: 2.0"),
        (["compare", "a", "--source", "tiny"], "The following arguments are required: B"),
        (
            ["ensemble", "a", "b", "--method", "voting", "--name", "x", "--source", "tiny"],
            "The method must be one of mean-probability",
        ),
    ],
)
def test_a_mistake_is_one_line_on_standard_error_and_status_2(source, capsys, arguments, sentence):
    assert refused(capsys, *arguments).startswith(sentence)
    assert service.list_runs() == []


def test_settings_that_are_wrong_are_told_in_one_line(capsys, monkeypatch):
    monkeypatch.setenv("CXR_PORT", "http")
    assert "CXR_PORT must be a whole number" in refused(capsys, "sources")


def test_a_workspace_that_cannot_be_written_is_told_in_one_line(capsys, monkeypatch):
    monkeypatch.setenv("CXR_HOME", "/proc/nowhere")
    assert "/proc/nowhere" in refused(capsys, "demo")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--json", "distribution", "--source", "tiny", "--view", "frontal"],
        ["--source", "tiny", "distribution", "--json"],
        ["--source=tiny", "--json", "distribution"],
        ["distribution", "--view=frontal", "--json", "--source=tiny"],
    ],
)
def test_options_may_stand_in_any_order(source, capsys, arguments):
    assert main(arguments) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == len(LABELS) * len(VALUES)
    assert all(row["images"] == 1 for row in rows)
    assert set(rows[0]) == {"label", "value", "dataset", "images"}


def test_arguments_and_options_may_be_mixed():
    parsed = ENSEMBLE.parse(["a", "--method", "max", "b", "--json", "c", "--name", "n"])
    assert (parsed.models, parsed.method, parsed.name, parsed.json) == (["a", "b", "c"], "max", "n", True)


def test_train_passes_on_only_what_was_given():
    parsed = vars(TRAIN.parse(["--u", "0.5", "--batch-size", "8"]))
    assert parsed == {
        "source": "demo",
        "json": False,
        "u": 0.5,
        "batch_size": 8,
        "repeat": 1,
        "detach": False,
        "on": "here",
    }


def test_each_listing_is_one_json_document(source, capsys):
    sources = document(capsys, "sources")
    assert [one["source"] for one in sources] == ["demo", "tiny"]
    assert set(sources[0]) == {"source", "kind", "labels", "predictions", "records", "models", "problems"}
    models = document(capsys, "models", "--source", "tiny")
    assert [(m["name"], m["view"], m["images"], m["weights"], m["predictions"]) for m in models] == [
        ("a", "frontal", 4, None, ["valid"])
    ]
    assert document(capsys, "runs") == []


def test_people_get_aligned_columns(source, capsys):
    assert main(["distribution", "--source", "tiny"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["valid,", "frontal", *VALUES]
    assert [line.split() for line in lines[1:]] == [[label, "1", "1", "1", "1"] for label in LABELS]
    assert len({len(line) for line in lines}) == 1
    for command in (["sources"], ["models", "--source", "tiny"], ["evaluate", "a", "--source", "tiny"], ["runs"], []):
        assert main(command) == 0
        assert capsys.readouterr().out.strip()


def test_columns_of_numbers_are_right_aligned_and_nothing_is_a_dash():
    assert as_table(("name", "auc"), [("a", 0.5), ("long", None)]) == "name    auc\na     0.500\nlong      -"


def test_times_are_told_in_minutes_and_seconds():
    assert [duration(s) for s in (59.6, 200, 3720)] == ["1 min 0 s", "3 min 20 s", "1 h 2 min"]


def test_a_figure_that_is_not_finite_never_gets_into_json():
    with pytest.raises(ValueError, match="JSON"):
        as_json({"auc": float("nan")})


def test_a_reader_that_has_seen_enough_is_no_error(source):
    command = [sys.executable, "-m", "cxr_core", "distribution", "--json", "--source", "tiny"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()  # before anything is written
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 0


@pytest.mark.slow
def test_light_commands_load_no_tensorflow(source):
    code = (
        "import sys; from cxr_core.cli import main\n"
        "for command in (['sources'], ['distribution'], ['models'], ['runs'], ['evaluate', 'a'], ['train', '--u', '2']):\n"
        "    main([*command, '--source', 'tiny'])\n"
        "sys.exit('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_help_lists_every_command_but_the_internal_ones(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert "distribution" in text
    assert "run-step" not in text
    assert main(["train", "--help"]) == 0
    assert "--early-stopping" in capsys.readouterr().out


def test_an_unfinished_demo_is_started_only_once(workspace, monkeypatch):
    from cxr_core.tasks.build_demo import start_demo

    monkeypatch.setattr(service, "_launch", lambda store, run: run)
    first = start_demo()
    assert (first.kind, start_demo().run) == ("demo", first.run)
    assert Path(service.folder_of(first.run)).is_dir()


def test_the_version_is_that_of_the_newest_released_section_of_the_changelog(capsys):
    changelog = (Path(__file__).parents[1] / "CHANGELOG.md").read_text()
    newest = re.findall(r"^## (\d+\.\d+\.\d+)\b", changelog, re.MULTILINE)[0]
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"CXR Lab {newest}\n"
    assert newest == __version__


def test_sources_lists_all_or_the_one_that_is_asked_for(source, capsys):
    assert [one["source"] for one in document(capsys, "sources", "--source", "tiny")] == ["tiny"]
    assert main(["sources", "--source", "tiny"]) == 0
    assert "demo" not in capsys.readouterr().out
    assert refused(capsys, "sources", "--source", "nope").startswith("Unknown source 'nope'")


def test_a_run_is_told_without_dictionaries(fake_run):
    text = run_text(fake_run)
    assert "{" not in text and "[" not in text
    lines = dict(line.split(maxsplit=1) for line in text.splitlines())
    assert lines["config.options.policy.edema"] == "0.700, 0.500"
    assert lines["result.cells"] == "u 0.000, val_auc 0.800; u 1.000, val_auc 0.700"


@pytest.fixture
def fake_run():
    """A sweep with options in options, and with rows in its result."""
    own = identity.own_identity()
    config = {"options": {"epochs": 3, "policy": {"edema": [0.7, 0.5]}, "name": None}}
    cells = [{"u": 0.0, "val_auc": 0.8}, {"u": 1.0, "val_auc": 0.7}]
    return Run("r", "sweep", "n", "demo", 0.0, 0.0, "me", "here", config, own, result={"cells": cells})
