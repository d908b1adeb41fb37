"""What every command says of the demo is kept beside this test; a change of it is seen, and must be meant.

    python tests/test_kept_outputs.py

writes the kept documents anew, after a change that was meant.
"""

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

KEPT = Path(__file__).parent / "kept"
FIRST, SECOND, LATERAL = "densenet_frontal_u0_0__w0_0", "densenet_frontal_u1_0__w1_0", "densenet_lateral_u0_0__w0_0"
LABEL_FILE = """path,patient,study,image,view,dataset,edema,fracture
a.jpg,1,1,1,frontal,valid,1,
b.jpg,1,1,2,lateral,valid,-1,0
c.jpg,2,1,1,frontal,test,,1
"""
#: name -> (arguments, whether it writes to the workspace)
COMMANDS: dict[str, tuple[list[str], bool]] = {
    "sources": (["sources"], False),
    "distribution": (["distribution"], False),
    "distribution-lateral": (["distribution", "--view", "lateral"], False),
    "models": (["models"], False),
    "evaluate-valid": (["evaluate", FIRST], False),
    "evaluate-test": (["evaluate", SECOND, "--dataset", "test"], False),
    "evaluate-lateral": (["evaluate", LATERAL, "--view", "lateral"], False),
    "compare": (["compare", FIRST, SECOND], False),
    "runs": (["runs"], True),
    "demo": (["demo"], False),
    "ensemble": (["ensemble", FIRST, SECOND, "--method", "mean-logit", "--name", "both"], True),
    "ensemble-by-study": (
        ["ensemble", FIRST, LATERAL, "--method", "mean-rank", "--by", "study", "--name", "studies"],
        True,
    ),
    "import-labels": (["import", "labels", "labels.csv", "--source", "own"], True),
}


def said(home: Path, arguments: list[str]) -> object:
    """Return the document that a command prints, the place of the workspace taken out."""
    (home.parent / "labels.csv").write_text(LABEL_FILE)
    done = subprocess.run(
        [sys.executable, "-m", "cxr_core", *arguments, "--json"],
        capture_output=True,
        text=True,
        cwd=home.parent,
        env=os.environ | {"CXR_HOME": str(home)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.replace(str(home), "WORKSPACE").replace(str(home.parent), "FOLDER"))


def differences(kept: object, now: object, place: str = "") -> list[str]:
    """Return where two documents differ by more than the rounding of another processor."""
    if isinstance(kept, dict) and isinstance(now, dict):
        found = [f"{place}.{key} is only in one" for key in kept.keys() ^ now.keys()]
        return found + [
            one for key in kept.keys() & now.keys() for one in differences(kept[key], now[key], f"{place}.{key}")
        ]
    if isinstance(kept, list) and isinstance(now, list) and len(kept) == len(now):
        pairs = enumerate(zip(kept, now, strict=True))
        return [one for number, pair in pairs for one in differences(*pair, f"{place}[{number}]")]
    if isinstance(kept, float) and isinstance(now, float):
        return [] if math.isclose(kept, now, rel_tol=1e-9, abs_tol=1e-12) else [f"{place}: {kept} was kept, now {now}"]
    return [] if kept == now else [f"{place}: {kept!r} was kept, now {now!r}"]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_of_the_demo_what_it_said_before(name, built_demo, workspace):
    arguments, writes = COMMANDS[name]
    home = built_demo
    if writes:
        home = workspace
        shutil.copytree(built_demo / "sources", workspace / "sources", copy_function=os.link)
    kept = json.loads((KEPT / f"{name}.json").read_text())
    assert not differences(kept, said(home, arguments))


def test_a_difference_in_a_document_is_seen():
    kept = {"a": [1.0, {"b": None}], "c": "words"}
    assert differences(kept, {"a": [1.0 + 1e-12, {"b": None}], "c": "words"}) == []
    assert differences(kept, {"a": [1.0, {"b": 0}], "c": "words"}) == [".a[1].b: None was kept, now 0"]
    assert differences(kept, {"a": [1.0, {"b": None}], "d": 1} | {"c": "words"}) == [".d is only in one"]
    assert differences(kept, {"a": [1.0], "c": "words"}) == [".a: [1.0, {'b': None}] was kept, now [1.0]"]


def keep_anew() -> None:
    """Write the kept documents as the commands say them now."""
    KEPT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / "built" / "workspace"
        built.parent.mkdir()
        said(built, ["demo"])
        for name, (arguments, writes) in COMMANDS.items():
            home = built
            if writes:
                home = Path(folder) / name / "workspace"
                shutil.copytree(built / "sources", home / "sources", copy_function=os.link)
            text = json.dumps(said(home, arguments), indent=1, sort_keys=True)
            (KEPT / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    keep_anew()
