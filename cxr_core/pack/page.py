"""The page of a pack: one HTML file that reads on a screen and prints on paper, without a script."""

import base64
import html
from collections.abc import Iterator, Mapping, Sequence

from cxr_core.pack.checklist import ASKED, Checklist
from cxr_core.pack.document import Document
from cxr_core.pack.said import NOTICE, SYNTHETIC, judge_words, methods, size_words, title
from cxr_core.pack.style import STYLE
from cxr_core.pack.table import TEXT, Table


def page(
    document: Document, tables: Sequence[Table], figures: Mapping[str, tuple[str, bytes]], lists: Sequence[Checklist]
) -> bytes:
    """Return the page in UTF-8; whatever text is in the document is shown as text.

    Args:
        document: of the pack.
        tables: its tables.
        figures: name -> what it shows, and the figure as SVG.
        lists: its checklists.
    """
    heading = html.escape(title(document))
    notice = f"{SYNTHETIC} {NOTICE}" if document["synthetic"] else NOTICE
    body = [
        f"<h1>{heading}</h1>",
        f'<p class="notice">{notice}</p>',
        _facts(document),
        "<h2>Methods</h2>",
        *(f"<p>{html.escape(text)}</p>" for text in methods(document)),
        "<h2>Figures</h2>",
        *(_figure(number, *shown) for number, shown in enumerate(figures.values(), 1)),
        "<h2>Tables</h2>",
        *(part for number, table in enumerate(tables, 1) for part in _table(number, table)),
        "<h2>Checklists</h2>",
        *(part for one in lists for part in _checklist(one)),
        "<h2>The same figures again</h2>",
        "<p>On the command line:</p>",
        *(f"<p><code>{html.escape(command)}</code></p>" for command in document["commands"]),
        "<p>This pack from its document: <code>python -m cxr_core report --from pack.json --to FOLDER</code></p>",
    ]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><style>{STYLE}</style>'
    lines = "\n".join(body)
    whole = f'<!doctype html>\n<html lang="en"><head>{head}<title>{heading}</title></head><body><main>\n{lines}\n'
    return (whole + "</main></body></html>\n").encode()


def _facts(document: Document) -> str:
    facts = {
        "Source": document["source"],
        "Data set": document["dataset"],
        "View": document["view"] or "all that each model predicts",
        "Judge": judge_words(document),
        "Judged": size_words(document),
        "Models": "; ".join(f"{model['name']}: {model['policy']}" for model in document["models"]),
        "Data (SHA-256 of the judged rows)": "; ".join(f"{m['name']} {m['digest']}" for m in document["models"]),
        "Made by": document["made_by"],
    }
    rows = (f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in facts.items())
    return f'<table class="facts">{"".join(rows)}</table>'


def _figure(number: int, caption: str, svg: bytes) -> str:
    text = html.escape(caption)
    source = f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
    drawn = f'<img src="{source}" alt="{text}">'
    return f'<figure class="drawn">{drawn}<figcaption>Figure {number}. {text}</figcaption></figure>'


def _table(number: int, table: Table) -> Iterator[str]:
    caption = html.escape(f"Table {number}. {table.caption}")
    numeric = [column.kind != TEXT for column in table.columns]
    heads = "".join(f'<th scope="col"{_right(right)}>{html.escape(c.head)}</th>'
                    for c, right in zip(table.columns, numeric, strict=True))  # fmt: skip
    rows = "".join(f"<tr>{_cells(row, numeric)}</tr>" for row in table.texts())
    drawn = f"<table><caption>{caption}</caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    yield f'<div class="table" role="group" tabindex="0" aria-label="{caption}">{drawn}</div>'
    yield from (f'<p class="small">{html.escape(note)}</p>' for note in table.notes)


def _cells(row: Sequence[str], numeric: Sequence[bool]) -> str:
    return "".join(f"<td{_right(right)}>{html.escape(cell)}</td>" for cell, right in zip(row, numeric, strict=True))


def _right(numeric: bool) -> str:
    return ' class="number"' if numeric else ""


def _checklist(one: Checklist) -> Iterator[str]:
    asked = sum(item.status == ASKED for item in one.items)
    yield f"<h3>{html.escape(one.name)}</h3>"
    yield f'<p class="small">Numbers as in {html.escape(one.source)}; what is asked is in our own words. '
    yield f"{asked} of {len(one.items)} are for the authors to say.</p>"
    rows = "".join(
        f'<tr><td>{item.number}</td><td>{html.escape(item.asks)}</td><td class="{item.status.split()[0]}">'
        f"{item.status}</td><td>{html.escape(item.answer)}</td></tr>"
        for item in one.items
    )
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("Item", "What is asked", "State", "Answer"))
    drawn = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    yield f'<div class="table" role="group" tabindex="0" aria-label="{html.escape(one.name)}">{drawn}</div>'
