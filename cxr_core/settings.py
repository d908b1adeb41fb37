"""What can be configured, with its default and help text.

A setting comes from, in this order: the environment (`CXR_<NAME>`), the `[settings]` table of `cxr.toml`, its default.
`cxr.toml` is read from the working directory or from `CXR_CONFIG`; the product never writes it.
"""

import math
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from cxr_core.config_text import home_path, read_toml
from cxr_core.errors import SettingsError, UsageError, brief
from cxr_core.stamps import Stamp, file_stamp

CONFIG_VARIABLE = "CXR_CONFIG"
CONFIG_FILE = "cxr.toml"


class Setting(NamedTuple):
    """One row of the table of settings."""

    name: str
    default: bool | int | float | str
    help: str
    check: Callable[[Any], bool] = lambda value: True
    rule: str = ""

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"CXR_{self.name.upper()}"


SETTINGS: tuple[Setting, ...] = (
    Setting("home", "workspace", "Folder for everything that the product writes; relative to the working directory."),
    Setting(
        "output_folders",
        ".",
        "Folders, separated by colons, where the pages may put copies of models and TensorBoard logs besides `home`; "
        "relative to the working directory. A gs:// place must be listed. "
        "The command line writes wherever its user may.",
    ),
    Setting(
        "address",
        "127.0.0.1",
        "Address that the dashboard listens on; other machines reach it only if you change this.",
    ),
    Setting("port", 8501, "Port of the dashboard.", lambda value: 1 <= value <= 65535, "between 1 and 65535"),
    Setting(
        "downloads", True, "Whether pages offer tables for download; switch off where data must not leave the machine."
    ),
    Setting(
        "resamples",
        2000,
        "Resamples of the patient-cluster bootstrap behind the intervals of areas and differences.",
        lambda value: 100 <= value <= 100_000,
        "between 100 and 100000",
    ),
    Setting(
        "minimum_positives",
        30,
        "Fewest patients with a positive, and with a negative image, for which an interval or a p is given.",
        lambda value: value >= 2,
        "at least 2",
    ),
    Setting(
        "import_rows",
        5_000_000,
        "Most rows that one imported table may have.",
        lambda value: value > 0,
        "above 0",
    ),
    Setting(
        "import_memory",
        8_000_000_000,
        "Most bytes of memory that one import may take; it is refused when it needs more.",
        lambda value: value > 0,
        "above 0",
    ),
    Setting(
        "kept_memory",
        1_000_000_000,
        "Most bytes of answers (tables, figures, curves) that the dashboard keeps for all its sessions together.",
        lambda value: value >= 0,
        "0 or more",
    ),
    Setting(
        "maximum_bytes_billed",
        10_000_000_000,
        "Most bytes that one BigQuery query may bill; a source can set its own.",
        lambda value: value > 0,
        "above 0",
    ),
    Setting(
        "bigquery_endpoint", "", "URL of a BigQuery-compatible server to use instead of Google's, without credentials."
    ),
    Setting("bigquery_timeout", 120.0, "Seconds to wait for one BigQuery answer.", lambda value: value > 0, "above 0"),
    Setting(
        "gcs_endpoint", "", "URL of a Cloud-Storage-compatible server to use instead of Google's, without credentials."
    ),
    Setting("account", "", "Names your folder under gs:// for saved models and logs; empty: gcloud's account, or you."),
    Setting(
        "cancel_grace",
        20.0,
        "Seconds that a cancelled run has to write its checkpoint before it is killed.",
        lambda value: value >= 0,
        "0 or more",
    ),
    Setting(
        "heartbeat",
        2.0,
        "Seconds between two signs of life of a run.",
        lambda value: 0 < value <= 60,
        "above 0, at most 60",
    ),
    Setting(
        "runs_per_device",
        1,
        "Runs that may use one accelerator at once; further ones wait in the order in which they were started.",
        lambda value: value >= 1,
        "at least 1",
    ),
)


@dataclass(frozen=True)
class Settings:
    """The settings in force; `home` and the local `output_folders` are absolute."""

    home: Path
    output_folders: tuple[str, ...]
    address: str
    port: int
    downloads: bool
    resamples: int
    minimum_positives: int
    import_rows: int
    import_memory: int
    kept_memory: int
    maximum_bytes_billed: int
    bigquery_endpoint: str
    bigquery_timeout: float
    gcs_endpoint: str
    account: str
    cancel_grace: float
    heartbeat: float
    runs_per_device: int


def settings() -> Settings:
    """Return the settings in force.

    Raises:
        SettingsError: a value in `cxr.toml` or in the environment is wrong; the message names the place.
    """
    table = _table(_config(), "settings")
    unknown = set(table) - {setting.name for setting in SETTINGS}
    if unknown:
        raise SettingsError(f"{config_path()}: unknown setting {min(unknown)!r} in [settings]. See cxr.example.toml.")
    values: dict[str, Any] = {setting.name: _value(setting, table) for setting in SETTINGS}
    values["home"] = _expanded(values["home"], "home")
    values["output_folders"] = _folders(values["output_folders"], "output_folders")
    return Settings(**values)


def _folders(text: str, setting: str) -> tuple[str, ...]:
    """Return the folders of a list that is separated by colons; the colon of `gs://` separates nothing."""
    places = [place.strip() for place in re.split(r":(?!//)", text) if place.strip()]
    return tuple(place if "://" in place else str(_expanded(place, setting)) for place in places)


def _expanded(text: str, what: str) -> Path:
    try:
        return home_path(text).absolute()
    except UsageError as error:
        raise SettingsError(f"{what}: {error}") from error


def configured_sources() -> dict[str, dict[str, Any]]:
    """Return the `[sources.NAME]` tables of `cxr.toml`; relative paths in them start at `config_path().parent`."""
    sources = _table(_config(), "sources")
    for name, table in sources.items():
        if not isinstance(table, dict):
            raise SettingsError(f"{config_path()}: [sources.{name}] must be a table. See cxr.example.toml.")
    return sources


def config_path() -> Path:
    """Return the absolute path of the configuration file, which need not exist unless `CXR_CONFIG` names it."""
    return _expanded(os.environ.get(CONFIG_VARIABLE) or CONFIG_FILE, CONFIG_VARIABLE)


def _config() -> dict[str, Any]:
    path = config_path()
    stamp = file_stamp(path)
    if not stamp:
        if os.environ.get(CONFIG_VARIABLE):
            raise SettingsError(f"{CONFIG_VARIABLE} names {path}, which cannot be read: no file is there.")
        return {}
    config = _parsed(path, stamp)
    unknown = set(config) - {"settings", "sources"}
    if unknown:
        raise SettingsError(f"{path}: unknown entry {min(unknown)!r}; there are [settings] and [sources.NAME].")
    return config


@lru_cache(maxsize=8)
def _parsed(path: Path, stamp: Stamp) -> dict[str, Any]:
    """Parse the file; `stamp` makes an edited file a new cache entry."""
    try:
        return read_toml(path)
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} is no valid TOML: {error}. Correct the file.") from error


def _table(config: dict[str, Any], name: str) -> dict[str, Any]:
    table = config.get(name, {})
    if not isinstance(table, dict):
        raise SettingsError(f"{config_path()}: [{name}] must be a table. See cxr.example.toml.")
    return table


def _value(setting: Setting, table: dict[str, Any]) -> bool | int | float | str:
    text = os.environ.get(setting.variable)
    received = _from_text(setting, text) if text else table.get(setting.name, setting.default)
    kind = type(setting.default)
    if kind is float and type(received) is int and abs(received) < 2**53:
        received = float(received)
    if type(received) is not kind or not _is_countable(received) or not setting.check(received):
        place = setting.variable if text else f"{config_path()}: {setting.name}"
        rule = f"{_KIND_WORDS[kind]} {setting.rule}".strip()
        raise SettingsError(f"{place} must be {rule}. Received: {brief(received)}.")
    return received


def _is_countable(value: float | str) -> bool:
    """Say whether a value is no number, or one that other programs can work with, too."""
    if isinstance(value, int):
        return abs(value) < 2**63
    return isinstance(value, str) or math.isfinite(value)


_KIND_WORDS: dict[type, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def _from_text(setting: Setting, text: str) -> bool | int | float | str:
    """Read an environment variable as the setting's type; what does not fit comes back as text and is refused."""
    kind = type(setting.default)
    if kind is bool:
        return _BOOLEANS.get(text.lower(), text)
    try:
        return kind(text)
    except ValueError:
        return text
