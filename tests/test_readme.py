"""What the README tells a newcomer to type is typed here, word for word.

`uvx` and `podman` need a network or a daemon: tests/browser/test_installed.py installs the wheel and starts its commands.
"""

import re
import shlex
import shutil
import subprocess

import pytest
from kept_folders import ROOT

from cxr_core.sources.registry import get_source

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
ELSEWHERE = {"uvx", "podman"}


def lines_with(program):
    return [
        words
        for block in BLOCKS
        for line in block.splitlines()
        if (words := shlex.split(line, comments=True))[0] == program
    ]


def test_the_readme_has_commands_of_known_programs_only():
    programs = {shlex.split(line)[0] for block in BLOCKS for line in block.splitlines()}
    assert programs == {"cxr", "make", "."} | ELSEWHERE


@pytest.mark.parametrize("target", sorted({*re.findall(r"`?make ([a-z][a-z-]*)", README)}))
def test_the_targets_of_make_are_known(target):
    make = shutil.which("make")
    assert subprocess.run([make, "-n", target], cwd=ROOT, capture_output=True, check=False).returncode == 0


@pytest.mark.tensorflow
def test_the_path_on_the_command_line(own_demo, cxr):
    path = [words for words in lines_with("cxr") if words[1] != "import"]
    assert [words[1] for words in path] == ["distribution", "train", "predict", "evaluate", "evaluate", "compare"]
    printed = []
    for words in path:
        done = cxr(*words[1:])
        assert done.returncode == 0, (words, done.stderr)
        printed.append(done.stdout)
    assert "fracture" in printed[3] and "fracture" in printed[4]
    assert "my-first" in printed[-1] and "densenet_lateral_u0_5__w0_25" in printed[-1]


def test_the_source_on_bigquery(tmp_path):
    (tmp_path / "cxr.toml").write_text(re.search(r"```toml\n(.*?)```", README, re.DOTALL)[1])
    source = get_source("our-tables")
    assert source.kind == "bigquery"
    assert len(source.tables.labels) == 2
