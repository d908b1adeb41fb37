"""One row of the table of settings, and how a list of names in it is written."""

from collections.abc import Callable
from typing import Any, NamedTuple

#: Settings of the login stand in a table of their own.
_AUTH = "auth"


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

    @property
    def table(self) -> str:
        """The table of `cxr.toml` that it stands in."""
        return _AUTH if self.name.startswith(f"{_AUTH}_") else "settings"

    @property
    def key(self) -> str:
        """Its name in that table."""
        return self.name.removeprefix(f"{_AUTH}_")


def host_names(text: str) -> tuple[str, ...]:
    """Return the names of a list that is separated by commas."""
    return tuple(name.strip().lower() for name in text.split(",") if name.strip())
