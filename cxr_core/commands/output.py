"""How answers are written: one JSON document, or text in aligned columns."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def as_json(document: Any) -> str:
    """Return the document as strict JSON: a figure that is not finite must have become null before."""
    return json.dumps(document, allow_nan=False, indent=2)


def as_table(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return rows under their headers, numbers to the right, without trailing blanks."""
    kept = [list(row) for row in rows]
    cells = [list(headers), *[[shown(value) for value in row] for row in kept]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(headers))]
    right = [all(_is_number(row[i]) for row in kept) and bool(kept) for i in range(len(headers))]
    return "\n".join("  ".join(_padded(row, widths, right)).rstrip() for row in cells)


def shown(value: Any) -> str:
    """Return a value as people read it: three digits of a fraction, thousands separators, a dash for nothing."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {shown(one)}" for name, one in value.items()) or "-"
    if isinstance(value, (list, tuple)):
        within = "; " if value and isinstance(value[0], Mapping) else ", "
        return within.join(map(shown, value)) or "-"
    return _one_shown(value)


def _one_shown(value: Any) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def flattened(document: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return the values of a document under dotted names, without those that say nothing."""
    flat: dict[str, Any] = {}
    for name, value in document.items():
        flat |= flattened(value, f"{before}{name}.") if isinstance(value, Mapping) else {f"{before}{name}": value}
    return {name: value for name, value in flat.items() if value not in (None, "", [], {})}


def interval(ends: Sequence[float] | None) -> str:
    """Return an interval in words, a dash where there is none."""
    return "-" if ends is None else f"{shown(ends[0])} to {shown(ends[1])}"


def p_value(value: float | None) -> str:
    """Return a p, a dash where there is none."""
    return "<0.001" if value is not None and value < 0.001 else shown(value)


def difference(value: float | None, ends: Sequence[float] | None) -> tuple[str, str]:
    """Return a difference and its interval, both with their signs, dashes where there is none."""
    between = "-" if ends is None else f"{ends[0]:+.3f} to {ends[1]:+.3f}"
    return "-" if value is None else f"{value:+.3f}", between


def reasons(why: dict[str, dict[str, str]]) -> str:
    """Return one line for each figure that is undefined."""
    lines = [f"{label}, {figure}: {reason}" for label, reasons in why.items() for figure, reason in reasons.items()]
    return "\n\n" + "\n".join(lines) if lines else ""


def _padded(row: list[str], widths: list[int], right: list[bool]) -> Iterable[str]:
    for cell, width, is_right in zip(row, widths, right, strict=True):
        yield cell.rjust(width) if is_right else cell.ljust(width)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))
