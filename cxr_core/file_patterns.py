"""Finding files by a pattern with `*`, `?` and `[…]`, in folders whose own names may have these characters."""

import glob
from pathlib import Path


def files_matching(pattern: str) -> list[str]:
    """Return the files that match, sorted by name.

    A part of the path that exists as it is written stands for itself: a workspace in `study [2019]/` is found, though
    its name also reads as a pattern.
    """
    names = glob.glob(_literal_where_it_exists(pattern), recursive=True)  # noqa: PTH207 - the pattern may be absolute
    return sorted(name for name in names if Path(name).is_file())


def has_wildcards(pattern: str) -> bool:
    """Say whether a name stands for any number of files rather than for the one of that name."""
    return glob.has_magic(pattern) and not Path(pattern).exists()


def _literal_where_it_exists(pattern: str) -> str:
    written = Path()
    escaped = Path()
    for part in Path(pattern).parts:
        written = written / part
        escaped = escaped / (glob.escape(part) if written.exists() else part)
    return str(escaped)
