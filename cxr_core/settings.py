"""What can be configured, with its default and help text.

A setting comes from, in this order: the environment (`CXR_<NAME>`), the `[settings]` table of `cxr.toml` (those of the
login: `[auth]`), its default.
`cxr.toml` is read from the working directory or from `CXR_CONFIG`; the product never writes it.
"""

import math
import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cxr_core.config_text import home_path, read_toml
from cxr_core.errors import SettingsError, UsageError, brief
from cxr_core.setting import Setting, host_names
from cxr_core.setting_rows import SETTINGS
from cxr_core.stamps import Stamp, file_stamp

CONFIG_VARIABLE = "CXR_CONFIG"
CONFIG_FILE = "cxr.toml"
_SEEN = "who_may_see"
#: Table of settings in the file -> the names in it.
_TABLES = {table: {one.key for one in SETTINGS if one.table == table} for table in ("settings", "auth")}


@dataclass(frozen=True)
class Settings:
    """The settings in force; `home` and the local folders of `output_folders` and `input_folders` are absolute."""

    home: Path
    group_access: bool
    output_folders: tuple[str, ...]
    input_folders: tuple[str, ...]
    address: str
    hosts: tuple[str, ...]
    port: int
    without_login: bool
    proxy_user_header: str
    proxy_addresses: tuple[str, ...]
    proxy_token_header: str
    proxy_token_keys: str
    proxy_token_issuer: str
    proxy_token_audience: str
    proxy_token_claim: str
    proxy_token_groups_claim: str
    admins: tuple[str, ...]
    researchers: tuple[str, ...]
    auth_provider: str
    auth_client_id: str
    auth_secret_file: str
    auth_address: str
    auth_name_claim: str
    auth_groups_claim: str
    auth_scopes: str
    auth_viewers: tuple[str, ...]
    auth_hours: float
    auth_idle_minutes: float
    metrics: bool
    json_logs: bool
    downloads: bool
    intervals: str
    resamples: int
    most_joined_rows: int
    minimum_positives: int
    import_rows: int
    import_memory: int
    kept_memory: int
    elsewhere_from: int
    kept_maps: int
    maximum_bytes_billed: int
    ask_above_bytes: int
    bytes_billed_per_day: int
    bigquery_endpoint: str
    bigquery_timeout: float
    gcs_endpoint: str
    account: str
    cancel_grace: float
    heartbeat: float
    shared_disk_lag: float
    niceness: int
    cores_left_free: int
    queued_runs_per_person: int
    runs_per_device: int

    @property
    def behind_a_proxy(self) -> bool:
        """Whether a proxy asks people who they are."""
        return bool(self.proxy_user_header or self.proxy_token_header)

    @property
    def asks_who(self) -> bool:
        """Whether people have to log in, one way or another."""
        return self.behind_a_proxy or bool(self.auth_provider)


def settings() -> Settings:
    """Return the settings in force.

    Raises:
        SettingsError: a value in `cxr.toml` or in the environment is wrong; the message names the place.
    """
    config = _config()
    tables = {name: _known(_table(config, name), name) for name in _TABLES}
    values: dict[str, Any] = {setting.name: _value(setting, tables[setting.table]) for setting in SETTINGS}
    values["home"] = _expanded(values["home"], "home")
    values |= {name: _folders(values[name], name) for name in ("output_folders", "input_folders")}
    for name in ("hosts", "proxy_addresses", "admins", "researchers", "auth_viewers"):
        values[name] = host_names(values[name])
    return Settings(**values)


def _known(table: dict[str, Any], name: str) -> dict[str, Any]:
    unknown = set(table) - _TABLES[name]
    if unknown:
        raise SettingsError(f"{config_path()}: unknown setting {min(unknown)!r} in [{name}]. See cxr.example.toml.")
    return table


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
    return _named_tables("sources")


def configured_places() -> dict[str, dict[str, Any]]:
    """Return the `[places.NAME]` tables of `cxr.toml`; relative paths in them start at `config_path().parent`."""
    return _named_tables("places")


def who_may_see() -> dict[str, frozenset[str]]:
    """Return of each source that `[who_may_see]` names, or `*`, who may see it, in small letters.

    Raises:
        SettingsError: an entry is no list of texts.
    """
    table = _table(_config(), _SEEN)
    for source, persons in table.items():
        if not isinstance(persons, list) or not all(isinstance(person, str) and person.strip() for person in persons):
            rule = "must be a list of names, @domains and groups (group:NAME)"
            raise SettingsError(f"{config_path()}: [{_SEEN}] {source} {rule}. Received: {brief(persons)}.")
    return {source: frozenset(person.strip().lower() for person in persons) for source, persons in table.items()}


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
    unknown = set(config) - {*_TABLES, _SEEN, "sources", "places"}
    if unknown:
        there = f"[settings], [auth], [{_SEEN}], [sources.NAME] and [places.NAME]"
        raise SettingsError(f"{path}: unknown entry {min(unknown)!r}; there are {there}.")
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


def _named_tables(kind: str) -> dict[str, dict[str, Any]]:
    found = _table(_config(), kind)
    for name, table in found.items():
        if not isinstance(table, dict):
            raise SettingsError(f"{config_path()}: [{kind}.{name}] must be a table. See cxr.example.toml.")
    return found


def _value(setting: Setting, table: dict[str, Any]) -> bool | int | float | str:
    text = os.environ.get(setting.variable)
    received = _from_text(setting, text) if text else table.get(setting.key, setting.default)
    kind = type(setting.default)
    if kind is float and type(received) is int and abs(received) < 2**53:
        received = float(received)
    if type(received) is not kind or not _is_countable(received) or not setting.check(received):
        place = setting.variable if text else f"{config_path()}: {setting.key}"
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
