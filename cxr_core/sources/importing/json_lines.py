"""A file of JSON objects, one a line, as CheXpert-Plus writes its labels -> texts."""

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from cxr_core.errors import TableError


def is_json_lines(content: bytes) -> bool:
    """Say whether the first line is a JSON object."""
    first = io.BytesIO(content.lstrip(b"\xef\xbb\xbf \r\n\t")).readline().strip()
    return first.startswith(b'{"') and first.endswith((b"}", b"},"))


def json_lines_table(path: Path, content: bytes) -> pa.Table:
    """Return the values of the objects as texts, a column a key; raises `TableError` with the line that is wrong."""
    columns: dict[str, list[str | None]] = {}
    rows = 0
    for number, line in enumerate(content.decode("utf-8-sig", errors="replace").splitlines(), 1):
        if not line.strip():
            continue
        for name in set(columns) - (found := _object(path, number, line)).keys():
            columns[name].append(None)
        for name, value in found.items():
            columns.setdefault(name, [None] * rows).append(_text(value))
        rows += 1
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise TableError(f"{path.name}, line {number}: this is no JSON ({error}). Correct the line.") from error
    if not isinstance(found, dict):
        raise TableError(f"{path.name}, line {number}: this is no JSON object. Correct the line.")
    return {str(name): value for name, value in found.items()}


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value)
