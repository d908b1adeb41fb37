"""Which runs somebody asks for, as a condition of SQL, and which of those that were found he may see."""

import sqlite3
from pathlib import Path
from typing import Any

from cxr_core.runs.run import Run
from cxr_core.sight import sight

_HAS_WORD = """instr(lower(
    run || ' ' || kind || ' ' || name || ' ' || source || ' ' || status || ' ' || user || ' ' || host || ' '
    || place || ' ' || notes || ' ' || (SELECT COALESCE(group_concat(value, ' '), '') FROM json_each(tags))
), ?) > 0"""


def condition(kind: str | None, parent: str | None, tag: str | None, text: str) -> tuple[str, tuple[Any, ...]]:
    """Return the condition of the runs that fit everything given, and its parameters; see `RunStore.newest_first`."""
    asked: list[tuple[str, str]] = []
    if kind is not None:
        asked.append(("kind = ?", kind))
    if parent is not None:
        asked.append(("COALESCE(parent, '') = ?", parent))
    if tag is not None:
        asked.append(("EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)", tag))
    asked += [(_HAS_WORD, word.lower()) for word in text.split()]
    return " AND ".join(["1", *(one for one, _ in asked)]), tuple(value for _, value in asked)


def seen(runs: list[Run]) -> list[Run]:
    """Return the runs whose source whoever acts may see."""
    may_see = sight()
    return [run for run in runs if may_see(run.source)]


def unseen_folders(connection: sqlite3.Connection, folder: Path) -> list[Path]:
    """Return the folders, below that of all runs, of those whose source whoever acts may not see."""
    may_see = sight()
    return [
        folder / row["run"] for row in connection.execute("SELECT run, source FROM runs") if not may_see(row["source"])
    ]
