"""What people write in configuration: TOML, and paths with `~`; whatever cannot be meant is one sentence."""

import tomllib
from pathlib import Path
from typing import Any

from cxr_core.errors import UsageError, brief

#: Nobody writes more by hand; a configuration is read at every page.
_MOST_BYTES = 1_000_000


def read_toml(path: Path) -> dict[str, Any]:
    """Return what stands in a TOML file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no TOML in UTF-8, has a number that no program reads, or is no file that a person wrote.
    """
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ValueError(f"it has more than {_MOST_BYTES:,} bytes")
    return parsed_toml(content.decode("utf-8"))


def parsed_toml(text: str) -> dict[str, Any]:
    """Return what a TOML text says; `ValueError` as `read_toml`."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except ValueError as error:  # Python converts no number of more than 4,300 digits
        raise ValueError("it has a number of too many digits") from error
    except RecursionError as error:
        raise ValueError("its lists are nested too deeply") from error


def home_path(text: str) -> Path:
    """Return a path with `~` and `~name` followed.

    Raises:
        UsageError: there is no such user, or the text is no path.
    """
    if not text.isprintable():
        raise UsageError(f"A path must have no control characters. Received: {brief(repr(text))}.")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise UsageError(
            f"A path that begins with ~ must name a user with a home folder. Received: {brief(text)}."
        ) from error
