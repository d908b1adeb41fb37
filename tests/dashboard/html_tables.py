"""The tables of an HTML text as frames, read by Python's own parser."""

import html.parser

import pandas as pd


class _Tables(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.titles: list[str] = []
        self.inside = False

    def handle_starttag(self, tag, attrs):
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("th", "td"):
            self.inside = True
            self.tables[-1][-1].append("")
            self.titles += [value for name, value in attrs if name == "title" and tag == "th"]

    def handle_endtag(self, tag):
        if tag in ("th", "td"):
            self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.tables[-1][-1][-1] += data


def html_tables(text: str) -> list[pd.DataFrame]:
    """Return each table with its first row as columns and its first column as index."""
    parser = _Tables()
    parser.feed(text)
    return [
        pd.DataFrame([row[1:] for row in rows[1:]], [row[0] for row in rows[1:]], rows[0][1:]) for rows in parser.tables
    ]


def full_names(text: str) -> list[str]:
    """Return the tooltips of the heads: the whole names behind short ones."""
    parser = _Tables()
    parser.feed(text)
    return parser.titles
