"""Texts that are safe in a spreadsheet."""

from typing import Any

#: A text cell that begins with one of these is run as a formula by spreadsheet programs (OWASP, "CSV injection");
#: the last four are the full-width forms, which some of them read alike.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def defused(cell: Any) -> Any:
    """Return a text that begins like a formula behind an apostrophe, which makes it a text; anything else as it is."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell
