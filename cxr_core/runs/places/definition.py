"""A place as `[places.NAME]` in `cxr.toml` describes it: what all kinds share, and how the values are read."""

import re
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cxr_core.config_text import home_path
from cxr_core.errors import SettingsError, UsageError, brief
from cxr_core.locations import is_remote
from cxr_core.runs.places.object_folder import is_object_location
from cxr_core.runs.places.place import Job
from cxr_core.schema import NAME_PATTERN

#: What every kind of place has; the others are named by its engine.
SHARED_KEYS = ("kind", "folder", "records", "python", "environment", "setup")
#: The folder of a run here that mirrors what it has on an object store.
MIRROR, MIRROR_NOTES = "there", "there-received.json"
#: What may hold secrets: no error shows it.
_NOT_SHOWN = ("environment", "setup")
#: User and password in an address; all up to the last @, as a password may hold one.
_USER = re.compile(r"//.*@")


@dataclass(frozen=True)
class PlaceDefinition:
    """The table of a place: its name, its keys as written, and the file that they stand in."""

    name: str
    keys: dict[str, Any]
    file: Path

    def error(self, key: str, rule: str) -> SettingsError:
        """Return what to raise when the value of `key` breaks `rule`."""
        wrong = f"{self.file}: [places.{self.name}] {key} {rule}."
        if key in _NOT_SHOWN:
            return SettingsError(wrong)
        value = self.keys.get(key)
        shown = _USER.sub("//…@", value) if isinstance(value, str) else value
        return SettingsError(f"{wrong} Received: {brief(shown)}.")

    def check_keys(self, own: tuple[str, ...]) -> None:
        """Raise `SettingsError` where a key is none of this kind of place."""
        known = (*SHARED_KEYS, *own)
        if unknown := set(self.keys) - set(known):
            raise SettingsError(
                f"{self.file}: [places.{self.name}] unknown key {min(unknown)!r}. Use: {', '.join(known)}."
            )

    def text(self, key: str, default: str = "") -> str:
        """Return a value that must be a text on one line."""
        value = self.keys.get(key, default)
        if not isinstance(value, str) or not (value.isprintable() or not value):
            raise self.error(key, "must be a text on one line")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a value that must be a list of texts, each on one line."""
        value = self.keys.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) and one and one.isprintable() for one in value):
            raise self.error(key, "must be a list of texts, each on one line")
        return tuple(value)

    def number(self, key: str, default: float, least: float, below: float = 1e9) -> float:
        """Return a value that must be a number of at least `least`, and smaller than `below`."""
        value = self.keys.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < below:
            raise self.error(key, f"must be a number of at least {least:g}")
        return value

    @property
    def location(self) -> str:
        """The folder on an object store that both sides reach, as gs://bucket/runs; "" where they share a disk."""
        text = self.text("folder")
        if "://" in text and not is_object_location(text):
            raise self.error("folder", "must be a folder, or lie on gs://, s3:// or file://")
        return text if "://" in text else ""

    @cached_property
    def folder(self) -> Path:
        """The folder that this machine and the machines of the place see under the same path."""
        text = self.text("folder")
        if not text:
            raise self.error("folder", "must be a folder that both this machine and the place see under that path")
        try:
            return self.file.parent / home_path(text)
        except UsageError as error:
            raise SettingsError(f"{self.file}: [places.{self.name}] {error}") from error

    @property
    def records(self) -> str:
        """The pattern of the records as this place has them, legible from here too; "": those of the source."""
        text = self.text("records")
        if text and not is_remote(text) and not text.startswith("/"):
            raise self.error(
                "records", "must be a pattern on gs:// or an absolute path, as gs://bucket/{dataset}/{view}*"
            )
        return text

    @property
    def python(self) -> str:
        """The Python there that has this product; by default the path of the one that runs here."""
        return self.text("python") or sys.executable

    @property
    def environment(self) -> dict[str, str]:
        """Variables for the processes of the runs there."""
        value = self.keys.get("environment", {})
        if not isinstance(value, dict) or not all(_is_variable(name, text) for name, text in value.items()):
            raise self.error("environment", 'must be a table of texts, as in { OMP_NUM_THREADS = "8" }')
        return value

    @property
    def setup(self) -> tuple[str, ...]:
        """Lines of shell that go before the work, such as `module load cuda`."""
        return self.texts("setup")

    def check_shared(self) -> None:
        """Raise `SettingsError` where the name, or a value that all kinds share, is wrong."""
        if not NAME_PATTERN.fullmatch(self.name):
            raise SettingsError(
                f"{self.file}: [places.{brief(self.name)}] must be named by letters, digits, ., _ or -."
            )
        _ = (self.location or self.folder, self.records, self.text("python"), self.environment, self.setup)

    def job(self, run_id: str, leg: int, run_folder: Path, workers: int = 1) -> Job:
        """Return a leg of a run; what lies on an object store has its mirror in the folder of the run here."""
        if self.location:
            return Job(run_id, leg, run_folder / MIRROR, f"{self.location.rstrip('/')}/{run_id}", workers)
        return Job(run_id, leg, self.folder / run_id, workers=workers)


def _is_variable(name: str, text: object) -> bool:
    return name.isidentifier() and name.isascii() and isinstance(text, str) and (text.isprintable() or not text)
