"""The pages, declared once, and how to get from one to another with the source kept in the URL."""

from pathlib import Path
from typing import NamedTuple, NoReturn

import streamlit as st

FOLDER = Path(__file__).parents[1] / "app_pages"


class PageRow(NamedTuple):
    """One row of the table of pages."""

    name: str
    icon: str
    help: str


PAGES: tuple[PageRow, ...] = (
    PageRow("labels", ":material/bar_chart:", "What is in this data: how the 14 findings are labelled."),
    PageRow("train", ":material/model_training:", "Start a training run: view, (u, w) strategy, accelerator."),
    PageRow("runs", ":material/monitoring:", "How long work is going; stop it, resume it, predict with it."),
    PageRow("evaluate", ":material/query_stats:", "How good a model is on a label, and where to cut its score."),
    PageRow("compare", ":material/compare_arrows:", "Which model, whether the difference is real, and ensembles."),
    PageRow("sources", ":material/database:", "Where the data comes from, what is missing and how to fix it."),
)


def page_table() -> list[st.Page]:
    """Return the pages for `st.navigation`; the first is the start page."""
    return [
        st.Page(
            FOLDER / f"{row.name}.py",
            title=row.name.capitalize(),
            icon=row.icon,
            help=row.help,
            url_path=None if place == 0 else row.name,
            default=place == 0,
        )
        for place, row in enumerate(PAGES)
    ]


def go_to(name: str, **query: str) -> NoReturn:
    """Open a page with these values in its URL, and the same source."""
    st.switch_page(FOLDER / f"{name}.py", query_params=_with_source(query))


def link_to(name: str, label: str, **query: str) -> None:
    """Show a link to a page with these values in its URL, and the same source."""
    icon = next(row.icon for row in PAGES if row.name == name)
    st.page_link(FOLDER / f"{name}.py", label=label, icon=icon, query_params=_with_source(query))


def _with_source(query: dict[str, str]) -> dict[str, str]:
    source = st.session_state.get("source")
    return ({"source": source} if source else {}) | query
