import tomllib
from pathlib import Path

import pytest

from cxr_core.errors import SettingsError
from cxr_core.setting_rows import SETTINGS
from cxr_core.settings import configured_sources, settings

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_documented_in_its_page_and_in_the_example(setting):
    example = tomllib.loads((ROOT / "cxr.example.toml").read_text())
    assert example[setting.table][setting.key] == setting.default
    assert f"`{setting.name}`" in (ROOT / "docs" / "settings.md").read_text()
    assert setting.help.endswith(".")


def test_the_page_documents_no_setting_that_is_gone():
    page = (ROOT / "docs" / "settings.md").read_text()
    documented = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}
    assert documented == {setting.name for setting in SETTINGS}


def test_defaults_hold_without_a_file_and_home_is_absolute(monkeypatch, tmp_path):
    monkeypatch.delenv("CXR_HOME")
    assert settings().home == tmp_path / "workspace"
    assert (settings().address, settings().port) == ("127.0.0.1", 8501)


def test_the_environment_wins_over_the_file(monkeypatch, tmp_path):
    (tmp_path / "cxr.toml").write_text("[settings]\nport = 9000\nresamples = 200\ndownloads = false\n")
    monkeypatch.setenv("CXR_PORT", "9001")
    assert (settings().port, settings().resamples, settings().downloads) == (9001, 200, False)


def test_an_edited_file_is_read_again(tmp_path):
    file = tmp_path / "cxr.toml"
    file.write_text("[settings]\nport = 9000\n")
    assert settings().port == 9000
    file.write_text("[settings]\nport = 19000\n")
    assert settings().port == 19000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[settings]\nport = 0\n", "port must be a whole number between 1 and 65535. Received: 0."),
        ("[settings]\nport = '80'\n", "Received: '80'."),
        ("[settings]\ndownloads = 1\n", "downloads must be true or false. Received: 1."),
        ("[settings]\nhoem = 'x'\n", "unknown setting 'hoem'"),
        ("[setings]\n", "unknown entry 'setings'"),
        ("settings = 3\n", "[settings] must be a table"),
        ("[settings\n", "is no valid TOML"),
        ("[sources]\ndemo = 3\n", "[sources.demo] must be a table"),
    ],
)
def test_a_wrong_file_is_refused_in_one_sentence_that_names_it(tmp_path, text, words):
    (tmp_path / "cxr.toml").write_text(text)
    with pytest.raises(SettingsError) as raised:
        settings()
        configured_sources()
    assert words in str(raised.value)
    assert str(tmp_path / "cxr.toml") in str(raised.value)


@pytest.mark.parametrize(
    ("variable", "text"), [("CXR_PORT", "http"), ("CXR_DOWNLOADS", "maybe"), ("CXR_HEARTBEAT", "nan")]
)
def test_a_wrong_variable_is_refused_and_named(monkeypatch, variable, text):
    monkeypatch.setenv(variable, text)
    with pytest.raises(SettingsError, match=f"{variable} must be"):
        settings()


def test_a_config_that_is_named_must_exist(monkeypatch, tmp_path):
    monkeypatch.setenv("CXR_CONFIG", str(tmp_path / "nowhere.toml"))
    with pytest.raises(SettingsError, match="CXR_CONFIG names"):
        settings()
