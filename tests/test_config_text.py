"""What is written into configuration and cannot be meant: one sentence, whichever part of Python stumbles over it."""

import json

import pytest

from cxr_core.errors import CxrError, SettingsError, UsageError
from cxr_core.policy_files import policy_from_file
from cxr_core.schema import LABELS
from cxr_core.setting_rows import SETTINGS
from cxr_core.settings import config_path, settings
from cxr_core.sources.registry import get_source

DIGITS = "9" * 5000
NOBODY = "~nobody-of-this-name/data"
NUMBERS = [DIGITS, f"-{DIGITS}", "0x" + "f" * 6000, "1e999", "inf", "nan", f"0.{DIGITS}e{DIGITS}"]


def said(error):
    text = str(error.value)
    assert "\n" not in text and len(text) < 400
    return text


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize(
    "setting", [one for one in SETTINGS if type(one.default) in (int, float)], ids=lambda s: s.name
)
def test_a_number_that_cannot_be_is_refused_in_a_line_in_the_file_and_in_the_environment(
    tmp_path, monkeypatch, setting, number
):
    monkeypatch.delenv(setting.variable, raising=False)  # it goes before the file, and tests set some
    (tmp_path / "cxr.toml").write_text(f"[settings]\n{setting.name} = {number}\n")
    with pytest.raises(SettingsError) as refused:
        settings()
    assert "cxr.toml" in said(refused)
    (tmp_path / "cxr.toml").unlink()
    monkeypatch.setenv(setting.variable, number)
    with pytest.raises(SettingsError) as refused:
        settings()
    assert said(refused).startswith(setting.variable)


@pytest.mark.parametrize("name", ["home", "output_folders"])
def test_a_folder_of_nobody_is_refused_in_a_line(tmp_path, monkeypatch, name):
    (tmp_path / "cxr.toml").write_text(f'[settings]\n{name} = "{NOBODY}"\n')
    monkeypatch.delenv("CXR_HOME")
    with pytest.raises(SettingsError) as refused:
        settings()
    assert said(refused).startswith(f"{name}: A path that begins with ~ must name a user")
    (tmp_path / "cxr.toml").unlink()
    monkeypatch.setenv(f"CXR_{name.upper()}", NOBODY)
    with pytest.raises(SettingsError):
        settings()


def test_a_configuration_of_nobody_is_refused_in_a_line(monkeypatch):
    monkeypatch.setenv("CXR_CONFIG", NOBODY)
    for ask in (config_path, settings):
        with pytest.raises(SettingsError) as refused:
            ask()
        assert said(refused).startswith("CXR_CONFIG: ")


@pytest.mark.parametrize(
    "line",
    [
        f'labels = "{NOBODY}.parquet"',
        f'predictions = "{NOBODY}/{{model}}.parquet"',
        f'models = "{NOBODY}/{{model}}.h5"',
        f'records = "{NOBODY}/{{dataset}}/{{view}}*"',
        f'credentials = "{NOBODY}"',
        'truth = "a\\u0000b.parquet"',
        f"maximum_bytes_billed = {DIGITS}",
        "maximum_bytes_billed = 0x" + "f" * 6000,
        f"synthetic = {DIGITS}",
    ],
    ids=lambda line: line.split(" ")[0],
)
def test_a_source_that_cannot_be_is_refused_in_a_line_and_the_others_stay(tmp_path, line):
    (tmp_path / "cxr.toml").write_text(f'[sources.mine]\nkind = "local"\n{line}\n')
    with pytest.raises(SettingsError) as refused:
        get_source("mine")
    assert "cxr.toml" in said(refused)


@pytest.mark.parametrize("text", ["x = " + "[" * 100_000, "x = 1\n" * 300_000], ids=["nested", "long"])
def test_a_file_that_nobody_writes_by_hand_is_refused_in_a_line(tmp_path, text):
    (tmp_path / "cxr.toml").write_text(text)
    with pytest.raises(SettingsError) as refused:
        settings()
    said(refused)


@pytest.mark.parametrize("number", [DIGITS, "1" + "0" * 400, "0x" + "f" * 6000])
def test_a_policy_with_a_number_that_cannot_be_is_refused_in_a_line(tmp_path, number):
    lines = [f"{label} = {{u = {number}, w = 0.5}}" for label in LABELS]
    (tmp_path / "mine.toml").write_text("\n".join(lines))
    with pytest.raises(UsageError) as refused:
        policy_from_file(tmp_path / "mine.toml")
    said(refused)
    if not number.startswith("0x"):
        text = json.dumps({label: {"u": 0, "w": 0.5} for label in LABELS}).replace("0,", f"{number},")
        (tmp_path / "mine.json").write_text(text)
        with pytest.raises(CxrError):
            policy_from_file(tmp_path / "mine.json")


def test_the_command_line_says_it_in_one_line(tmp_path, cxr, monkeypatch):
    (tmp_path / "cxr.toml").write_text(f"[settings]\nport = {DIGITS}\n")
    done = cxr("sources", "--json")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    (tmp_path / "cxr.toml").unlink()
    monkeypatch.setenv("CXR_OUTPUT_FOLDERS", NOBODY)
    done = cxr("sources", "--json")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
