"""A sheet of an Excel or LibreOffice workbook -> texts, read by calamine."""

import datetime as dt
import io
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa

from cxr_core.errors import Choice, TableError, UndecidedError
from cxr_core.sources.importing.unpacked import check_size


def workbook_table(path: Path, sheet: str | None) -> tuple[pa.Table, str]:
    """Return the cells of a sheet as texts, the first row as names, and which sheet it is, in words.

    Raises:
        TableError: the file is damaged, protected or empty, or has no such sheet.
        UndecidedError: several sheets hold something, and none was named.
    """
    import python_calamine

    check_size(_unpacked_size(path), path, path.stat().st_size)
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(path.read_bytes()))
        names = [name for name in book.sheet_names if book.get_sheet_by_name(name).to_python()]
        wanted = _wanted(path, names, sheet)
        rows = book.get_sheet_by_name(wanted).to_python()
    except (python_calamine.CalamineError, OSError, ValueError, KeyError) as error:
        raise TableError(f"{path.name} is no workbook that can be read: {str(error)[:120]}. Save it as CSV.") from error
    header = [_text(cell) or f"column {number}" for number, cell in enumerate(rows[0], 1)]
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise TableError(f"{path.name} has the column {twice[:80]!r} twice. Remove or rename one.")
    body = [row for row in rows[1:] if any(cell not in ("", None) for cell in row)]
    if not body:
        raise TableError(f"{path.name} has a header and no rows. Nothing was imported.")
    columns = [pa.array([_text(row[place]) for row in body], pa.string()) for place in range(len(header))]
    return pa.table(dict(zip(header, columns, strict=True))), f"the sheet {wanted!r} of a workbook"


def _unpacked_size(path: Path) -> int:
    """Return what the parts of a workbook say that they unpack to; an old one is not packed."""
    if not zipfile.is_zipfile(path):
        return path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        return sum(item.file_size for item in archive.infolist())


def _wanted(path: Path, names: list[str], sheet: str | None) -> str:
    if sheet is not None:
        if sheet not in names:
            raise TableError(f"{path.name} has no filled sheet {sheet[:60]!r}. It has: {', '.join(names)[:200]}.")
        return sheet
    if not names:
        raise TableError(f"{path.name} is empty. Nothing was imported.")
    if len(names) > 1:
        choices = [Choice(name, f"--answer file.sheet={name}", {"file.sheet": name}) for name in names]
        raise UndecidedError("sheet", f"{path.name} has {len(names)} filled sheets; which is the table?", choices)
    return names[0]


def _text(cell: Any) -> str | None:
    """Return a cell as the text that people see: 1.0 as 1, a date as 2026-11-26."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        return cell.date().isoformat()
    return str(cell).strip() or None
