"""The shipped list of licences names every pin of what is installed, as each package tells it; pins carry hashes."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIST = (ROOT / "LICENSES-OF-DEPENDENCIES.md").read_text()
ROWS = {cells[1].strip(): cells for cells in (line.split("|") for line in LIST.splitlines()) if len(cells) == 5}
PINS = (
    "requirements.txt",
    "requirements-login.txt",
    "requirements-cloud.txt",
    "requirements-onnx.txt",
    "requirements-test.txt",
)
SHIPPED = PINS[:4]


def entries(file):
    """The pins of a file, each with the lines that belong to it."""
    return re.findall(r"^(\S+)==(\S+)(.*\n(?:    .*\n)*)", (ROOT / file).read_text(), re.MULTILINE)


@pytest.mark.parametrize("file", SHIPPED)
def test_every_pin_of_every_system_has_its_row_and_version(file):
    missing = [
        f"{name} {version}"
        for name, version, rest in entries(file)
        if " ; " not in rest.splitlines()[0] and version not in ROWS.get(name, "    ")[2]
    ]
    assert not missing, "run: python docs/make_licences.py"


def test_no_row_is_of_a_package_that_is_not_pinned():
    pinned = {name for file in SHIPPED for name, _, _ in entries(file)}
    assert set(ROWS) - {"package", "---"} <= pinned, "run: python docs/make_licences.py"
    assert len(ROWS) > 100


@pytest.mark.parametrize(
    ("name", "licence"),
    [
        ("tensorflow", "Apache"),
        ("streamlit", "Apache"),
        ("duckdb", "MIT"),
        ("pylibjpeg-libjpeg", "GPL"),
        ("numpy", "BSD"),
    ],
)
def test_a_licence_is_the_one_that_the_project_has(name, licence):
    assert licence in ROWS[name][3]


@pytest.mark.parametrize("file", PINS)
def test_every_pin_carries_hashes(file):
    found = entries(file)
    assert len(found) > 100
    assert [name for name, _, rest in found if "--hash=sha256:" not in rest] == []
