"""A report: one HTML file with its figures, that opens without a network and says how each number came about."""

import datetime
import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version

import pandas as pd
import plotly.graph_objects as go

from cxr_core.evaluation.defined import FEWEST_FOR_A_SHARE, LARGEST_MISSING_SHARE
from cxr_core.evaluation.intervals import CONFIDENCE
from cxr_core.evaluation.resamples import SEED
from cxr_core.settings import settings
from cxr_core.words import percent

_STYLE = """
body { font-family: system-ui, sans-serif; color: #141A21; background: #FFFFFF; max-width: 1100px; margin: 2rem auto;
       padding: 0 1rem; line-height: 1.45; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
table { border-collapse: collapse; margin: 0.75rem 0; font-size: 0.9rem; display: block; overflow-x: auto; }
th, td { border-bottom: 1px solid #D5DAE1; padding: 0.3rem 0.7rem; text-align: left; vertical-align: top; }
.notice { background: #FFF4E5; padding: 0.5rem 0.8rem; } .small { color: #56606E; font-size: 0.85rem; }
.figures { display: grid; gap: 1rem; } .figures > div { min-width: 0; }
@media (min-width: 900px) { .two { grid-template-columns: 1fr 1fr; } }
"""
NOTICE = "Not a medical device."
SYNTHETIC = "Synthetic demo data: no patient stands behind these figures."


@dataclass(frozen=True)
class Section:
    """One part of a report: its heading, what is said, its figures side by side, its tables, and the fine print."""

    heading: str
    words: str = ""
    charts: Sequence[go.Figure] = ()
    tables: Sequence[pd.DataFrame] = ()
    caption: str = ""


@dataclass(frozen=True)
class Report:
    """What a report says: its answer, what the answer holds for, and the sections behind it."""

    title: str
    facts: dict[str, str]
    sections: Sequence[Section]
    synthetic: bool
    method: Sequence[str] = field(default_factory=tuple)


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
    ]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
    title = f"<title>{html.escape(report.title)}</title>"
    page = (
        f'<!doctype html>\n<html lang="en"><head>{head}{title}</head><body>\n' + "\n".join(body) + "\n</body></html>\n"
    )
    return page.encode()


def method_words() -> list[str]:
    """Return how the figures are computed, under the settings in force."""
    chosen = settings()
    return [
        "Only certain labels are judged: positive against negative and not mentioned; uncertain images are left out "
        "label by label.",
        f"{percent(CONFIDENCE, 0)} intervals of AUC, average precision and their means are Student's t on the logit "
        f"scale, with the standard error of {chosen.resamples:,} resamples of whole patients (cluster bootstrap, seed "
        f"{SEED}), the same for all labels and models; differences have percentile intervals of the same resamples.",
        "Shares at an operating point and in a bin of the calibration have the interval of a ratio of sums over "
        "patients, Student's t on the logit scale; where all or none count, Clopper and Pearson's with the patients "
        "as trials.",
        f"No interval is given below {chosen.minimum_positives} patients of a class that the figure is made of "
        f"({FEWEST_FOR_A_SHARE} for a share of the images of one kind). Rows without a prediction or a label value are "
        f"left out and counted, up to {percent(LARGEST_MISSING_SHARE, 0)} of a label's.",
        "AUC and average precision rank the predictions as stored. Curves may be thinned for drawing, figures never.",
    ]


def _facts(facts: dict[str, str]) -> str:
    rows = (f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in facts.items())
    return f"<table>{''.join(rows)}</table>"


def _section(section: Section, scripts: Iterable[bool]) -> Iterable[str]:
    yield f"<h2>{html.escape(section.heading)}</h2>"
    if section.words:
        yield f"<p>{html.escape(section.words)}</p>"
    if section.charts:
        # A chart takes its width from its column, which must not depend on the charts that are still to come.
        columns = "figures two" if len(section.charts) > 1 else "figures"
        yield f'<div class="{columns}">{"".join(_figure(chart, scripts) for chart in section.charts)}</div>'
    for table in section.tables:
        yield _table(table)
    if section.caption:
        yield f'<p class="small">{html.escape(section.caption)}</p>'


def _figure(chart: go.Figure, scripts: Iterable[bool]) -> str:
    first = next(iter(scripts), False)
    config = {"displaylogo": False, "responsive": True}
    drawn = chart.to_html(full_html=False, include_plotlyjs=first, include_mathjax=False, config=config)
    return f"<div>{drawn}</div>"


def _table(table: pd.DataFrame) -> str:
    """Return a table of a page; its bold marks are Markdown, which a report is not."""
    bare = table.map(_bare).rename(index=_bare, columns=_bare)
    named = bare.reset_index() if bare.index.name else bare
    return named.to_html(
        escape=True, border=0, index=not bare.index.name, na_rep="–", float_format=lambda value: f"{value:.3f}"
    )


def _bare(cell: object) -> object:
    return cell.replace("**", "").replace("\\", "") if isinstance(cell, str) else cell
