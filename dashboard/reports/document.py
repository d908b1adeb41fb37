"""A report: one HTML file with its figures, that opens without a network and says how each number came about."""

import datetime
import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version

import pandas as pd
import plotly.graph_objects as go

from cxr_core.pack.style import STYLE
from cxr_core.tasks.methods import method_words
from cxr_core.tasks.provenance import Provenance
from cxr_core.words import decimals
from dashboard.shared.figure_tables import WHY_MISSING

NOTICE = "Not a medical device."
SYNTHETIC = "Synthetic demo data: no patient stands behind these figures."
#: Markdown's bold and italic around a whole text of a page's table.
_EMPHASIS = re.compile(r"(\*{1,2})(.*)\1", re.DOTALL)


@dataclass(frozen=True)
class Section:
    """One part of a report: its heading, what is said, its figures side by side, its tables, and the fine print.

    `markup` are tables that are HTML already, made by `charts`; everything else is text.
    """

    heading: str
    words: str = ""
    charts: Sequence[go.Figure] = ()
    tables: Sequence[pd.DataFrame] = ()
    notes: Sequence[str] = ()
    markup: Sequence[str] = ()


@dataclass(frozen=True)
class Report:
    """What a report says: its answer, what the answer holds for, and the sections behind it."""

    title: str
    facts: dict[str, str]
    sections: Sequence[Section]
    synthetic: bool
    method: Sequence[str] = field(default_factory=tuple)
    provenance: Provenance | None = None


def report_html(report: Report, now: datetime.datetime | None = None) -> bytes:
    """Return the report as one HTML file in UTF-8; whatever text is in it is shown as text."""
    scripts = iter([True])  # plotly.js once, before the first figure
    made = (now or datetime.datetime.now(datetime.UTC)).strftime("%Y-%m-%d %H:%M %Z")
    facts = report.facts | {"Made": f"{made} by CXR Lab {version('cxr-lab')}"}
    notice = f"{SYNTHETIC} {NOTICE}" if report.synthetic else NOTICE
    body = [
        f"<h1>{html.escape(report.title)}</h1>",
        f'<p class="notice">{notice}</p>',
        _facts(facts),
        *(part for section in report.sections for part in _section(section, scripts)),
        "<h2>How these figures came about</h2>",
        *(f"<p>{html.escape(line)}</p>" for line in (*report.method, *method_words())),
        *(_provenance(report.provenance) if report.provenance else []),
    ]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><style>{STYLE}</style>'
    title = f"<title>{html.escape(report.title)}</title>"
    page = (
        f'<!doctype html>\n<html lang="en"><head>{head}{title}</head><body><main>\n'
        + "\n".join(body)
        + "\n</main></body></html>\n"
    )
    return page.encode()


def _facts(facts: dict[str, str]) -> str:
    rows = (f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in facts.items())
    return f'<table class="facts">{"".join(rows)}</table>'


def _provenance(found: Provenance) -> Iterable[str]:
    yield "<h2>Data, software, and how to get these figures again</h2>"
    yield "<p>The data that was judged (SHA-256 of its rows: paths, labels, predictions):</p>"
    yield _facts({model: f"{digest}" for model, digest in found.data.items()})
    yield f"<p>Software: {html.escape(', '.join(f'{name} {number}' for name, number in found.software.items()))}.</p>"
    yield "<p>The same figures on the command line:</p>"
    yield from (f"<p><code>{html.escape(command)}</code></p>" for command in found.commands)


def _section(section: Section, scripts: Iterable[bool]) -> Iterable[str]:
    yield f"<h2>{html.escape(section.heading)}</h2>"
    if section.words:
        yield f"<p>{html.escape(section.words)}</p>"
    if section.charts:
        # A chart takes its width from its column, which must not depend on the charts that are still to come.
        columns = "figures two" if len(section.charts) > 1 else "figures"
        yield f'<div class="{columns}">{"".join(_figure(chart, scripts) for chart in section.charts)}</div>'
    yield from section.markup
    for table in section.tables:
        yield from _table(table, section.heading)
    yield from (f'<p class="small">{html.escape(note)}</p>' for note in section.notes if note)


def _figure(chart: go.Figure, scripts: Iterable[bool]) -> str:
    first = next(iter(scripts), False)
    config = {"displaylogo": False, "responsive": True}
    drawn = chart.to_html(full_html=False, include_plotlyjs=first, include_mathjax=False, config=config)
    return f"<div>{drawn}</div>"


def _table(table: pd.DataFrame, heading: str) -> Iterable[str]:
    """Return a table of a page; its emphasis is Markdown, which a report is not, and its reasons stand below it.

    A table that is wider than its place is reached by Tab, under the name of its section.
    """
    bare = table.map(_bare).rename(index=_bare, columns=_bare)
    reasons = bare.pop(WHY_MISSING) if WHY_MISSING in bare else pd.Series(dtype=object)
    named = bare.reset_index() if bare.index.name else bare
    drawn = named.to_html(escape=True, border=0, index=not bare.index.name, na_rep="–", float_format=decimals)
    drawn = drawn.replace("<th></th>", "<td></td>")  # the corner above names that need no name
    yield f'<div class="table" role="group" tabindex="0" aria-label="{html.escape(heading)}">{drawn}</div>'
    for reason in dict.fromkeys(why for why in reasons if why):
        names = ", ".join(map(str, reasons.index[reasons == reason]))
        yield f'<p class="small">{html.escape(f"{names}: {reason}.")}</p>'


def _bare(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    emphasised = _EMPHASIS.fullmatch(cell)
    return (emphasised[2] if emphasised else cell).replace("\\", "")
