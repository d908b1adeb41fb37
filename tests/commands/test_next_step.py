import argparse
import shlex

import pytest

from cxr_core.cli import COMMANDS, command_named
from cxr_core.commands.next_step import next_step
from cxr_core.commands.parsing import PROGRAM

NAMED = {"source": "tiny", "view": "lateral", "dataset": "test", "model": "m", "a": "m", "b": "n", "what": "labels"}
RUN = {"run": "20260101-000000-abcdef", "source": "tiny", "name": "mine"}


def given(**values):
    return argparse.Namespace(**NAMED | {"action": None, "run": None, "write_policy": None} | values)


def run(kind, status="completed"):
    return RUN | {"kind": kind, "status": status}


BEST_OF_EDEMA = "train --u 0.5 --w 1 --source tiny"


def tried(gain, told):
    return {"u": 0.5, "w": 1.0, "gain": gain, "told": told}


@pytest.mark.parametrize(
    ("command", "arguments", "document", "wanted"),
    [
        ("demo", given(source="demo"), {}, "distribution"),
        ("sources", given(source=""), [{"source": "demo", "problems": []}], "distribution"),
        ("sources", given(source=""), [{"source": "own", "problems": []}], "distribution --source own"),
        ("distribution", given(), [], "train --view lateral --source tiny"),
        ("models", given(), [], "train --source tiny"),
        ("models", given(), [{"name": "m", "predictions": ["valid"]}], "evaluate m --source tiny"),
        ("models", given(), [{"name": "m", "predictions": [], "weights": "m.h5"}], "predict --model m --source tiny"),
        ("import", given(), {}, "distribution --source tiny"),
        ("import", given(what="predictions"), {}, "evaluate m --source tiny"),
        ("import", given(what="images"), {}, "train --source tiny"),
        ("train", given(), run("train"), f"predict --model {RUN['run']} --source tiny"),
        ("train", given(), run("train", "queued"), f"runs log {RUN['run']}"),
        ("train", given(), run("train", "failed"), f"runs log {RUN['run']}"),
        ("train", given(), run("train", "cancelled"), f"runs resume {RUN['run']}"),
        ("train", given(), run("repeat"), f"runs --parent {RUN['run']}"),
        ("sweep", given(), run("sweep"), f"runs --parent {RUN['run']}"),
        ("predict", given(), {"model": "mine"}, "evaluate mine --source tiny"),
        ("predict", given(), run("predict", "failed"), f"runs log {RUN['run']}"),
        ("policies", given(), {"best": {"edema": tried(0.02, True), "fracture": tried(0.09, False)}}, BEST_OF_EDEMA),
        ("policies", given(), {"best": {"edema": tried(0.02, False)}}, "train --source tiny"),
        ("runs", given(action="show"), run("policies"), "policies --model mine --source tiny"),
        ("evaluate", given(), {}, "compare m OTHER --dataset test --source tiny"),
        ("compare", given(), {}, "ensemble m n --method mean-logit --name NAME --source tiny"),
        (
            "images",
            given(),
            [{"path": "valid/p1/s01/a b.jpg", "image": 1}],
            "show 'valid/p1/s01/a b.jpg' --to FILE.png --source tiny",
        ),
        ("images", given(), [{"path": "valid/p1/s01", "image": 0}], ""),
        ("images", given(), [], ""),
        ("meaning", given(), {}, "meaning --write-policy FILE.toml --source tiny"),
        ("meaning", given(write_policy="p.toml"), {}, "train --policy p.toml --source tiny"),
        ("import", given(what="readings"), {}, "meaning --source tiny"),
        ("ensemble", given(), {"model": "both"}, "evaluate both --source tiny"),
        ("export", given(), {}, "sources --source tiny"),
        ("runs", given(), [run("train")], f"runs show {RUN['run']}"),
        ("runs", given(source="demo"), [], "train"),
        ("runs", given(action="show"), run("predict"), "evaluate mine --source tiny"),
        ("runs", given(action="log", run=RUN["run"]), {"run": RUN["run"], "log": ""}, f"runs show {RUN['run']}"),
        ("runs", given(action="delete"), run("train"), "runs"),
        ("accelerators", given(source="demo"), [{"name": "gpu", "available": True}], "train --accelerator gpu"),
        ("journal", given(), [], ""),
        ("backup", given(), {"file": "/b/all.tar"}, "restore /b/all.tar --source tiny"),
        ("restore", given(), {"file": "/b/all.tar"}, "runs"),
        ("runs", given(action="repair"), {"runs": 3}, "runs"),
        ("completion", given(), {}, ""),
    ],
)
def test_each_answer_is_followed_by_the_command_that_goes_on(command, arguments, document, wanted):
    line = next_step(command, arguments, document)
    assert line.endswith(f": {PROGRAM} {wanted}" if wanted else "")
    assert "\n" not in line
    if wanted:  # and that command is understood
        name, *rest = shlex.split(wanted)
        command_named(name).parse(rest)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_follows(name):
    next_step(name, given(), run("train"))


def test_a_person_is_told_the_next_step_and_a_script_is_not(demo, cxr):
    told = cxr("distribution")
    assert told.returncode == 0
    assert told.stderr == f"Train on these images: {PROGRAM} train --view frontal\n"
    assert cxr("distribution", "--json").stderr == ""
