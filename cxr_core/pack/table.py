"""A table of a pack: rows of plain values under columns that say what they are, as text, CSV and LaTeX."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cxr_core.pack.spreadsheet import defused
from cxr_core.pack.tex import escaped
from cxr_core.words import percent, signed

#: What a column holds; a share is shown in per cent.
TEXT, COUNT, PLAIN, P, SHARE = "text", "count", "plain", "p", "share"
#: Those whose value is a pair: the figure and its interval.
FIGURE, SIGNED, RATE = "figure", "signed", "rate"
WITH_INTERVAL = (FIGURE, SIGNED, RATE)
NOTHING = "–"
#: Longer tables run over several pages.
_LONGEST_ON_A_PAGE = 40


@dataclass(frozen=True)
class Column:
    """The head of a column and what it holds."""

    head: str
    kind: str = TEXT


@dataclass(frozen=True)
class Table:
    """A table: its file name, its caption, its columns, a value a column in each row, and what stands below it."""

    name: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    notes: Sequence[str] = ()

    def texts(self) -> list[list[str]]:
        """Return the cells as people read them."""
        return [[cell_text(value, column.kind) for value, column in self._pairs(row)] for row in self.rows]

    def csv(self) -> bytes:
        """Return the values as numbers with all their digits, an interval in two columns, safe in a spreadsheet."""
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([head for column in self.columns for head in _heads(column)])
        for row in self.rows:
            writer.writerow([defused(cell) for value, column in self._pairs(row) for cell in _cells(value, column)])
        return out.getvalue().encode()

    def tex(self) -> bytes:
        """Return the table in LaTeX, with the rules of booktabs; a long one as longtable."""
        long = len(self.rows) > _LONGEST_ON_A_PAGE
        align = "".join("l" if column.kind == TEXT else "r" for column in self.columns)
        heads = " & ".join(rf"\textbf{{{escaped(column.head)}}}" for column in self.columns) + r" \\"
        body = [" & ".join(map(escaped, row)) + r" \\" for row in self.texts()]
        label = f"\\caption{{{escaped(self.caption)}}}\\label{{tab:{self.name}}}"
        notes = [rf"\par {escaped(note)}" for note in self.notes]
        lines = _long(align, heads, body, label, notes) if long else _short(align, heads, body, label, notes)
        return ("\n".join(lines) + "\n").encode()

    def _pairs(self, row: Sequence[Any]) -> Iterable[tuple[Any, Column]]:
        return zip(row, self.columns, strict=True)


def cell_text(value: Any, kind: str) -> str:
    """Return one value as people read it, a dash for nothing."""
    return NOTHING if value is None or value == "" else _WRITTEN[kind](value)


def _figure(pair: tuple[float | None, Sequence[float] | None], written: Any) -> str:
    value, interval = pair
    if value is None:
        return NOTHING
    return written(value) + (f" ({written(interval[0])} to {written(interval[1])})" if interval else "")


#: How a value of each kind is written.
_WRITTEN: dict[str, Callable[[Any], str]] = {
    TEXT: str,
    COUNT: "{:,}".format,
    SHARE: percent,
    P: lambda value: "< 0.001" if value < 0.001 else f"{value:.3f}",
    PLAIN: "{:.4g}".format,
    FIGURE: lambda pair: _figure(pair, "{:.3f}".format),
    SIGNED: lambda pair: _figure(pair, signed),
    RATE: lambda pair: _figure(pair, "{:.1f}".format),
}


def _heads(column: Column) -> list[str]:
    if column.kind in WITH_INTERVAL:
        return [column.head, f"{column.head}, low", f"{column.head}, high"]
    return [column.head]


def _cells(value: Any, column: Column) -> list[Any]:
    if column.kind in WITH_INTERVAL:
        number, interval = value if value is not None else (None, None)
        return [number, *(interval or (None, None))]
    return [value]


def _short(align: str, heads: str, body: list[str], label: str, notes: list[str]) -> list[str]:
    table = [rf"\begin{{tabular}}{{{align}}}", r"\toprule", heads, r"\midrule", *body, r"\bottomrule", r"\end{tabular}"]
    return [r"\begin{table}[htbp]", r"\centering\footnotesize", label, *table, *notes, r"\end{table}"]


def _long(align: str, heads: str, body: list[str], label: str, notes: list[str]) -> list[str]:
    first = [label + r" \\", r"\toprule", heads, r"\midrule", r"\endfirsthead"]
    later = [r"\toprule", heads, r"\midrule", r"\endhead", r"\bottomrule", r"\endfoot"]
    table = [rf"\begin{{longtable}}{{{align}}}", *first, *later, *body, r"\end{longtable}"]
    return [r"{\footnotesize", *table, *notes, "}"]
