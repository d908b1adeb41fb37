"""The pages, declared once, and how to get from one to another with the right values in its inputs."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import streamlit as st

from dashboard.shared.formatting import plain

_OPENING, _NEXT = "values-of-the-page-that-opens", "page-to-open-next"
#: What of the address of one page goes along to another.
_CARRIED = {"evaluate": ("label", "dataset")}
DASHBOARD = Path(__file__).parents[1]


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
    PageRow("images", ":material/image_search:", "The images behind a number, one film large, and what is said of it."),
    PageRow("sources", ":material/database:", "Where the data comes from, what is missing and how to fix it."),
)


def page_table() -> list[st.Page]:
    """Return the pages for `st.navigation`; the first is the start page."""
    return [
        st.Page(
            page_script(row.name),
            title=row.name.capitalize(),
            icon=row.icon,
            help=row.help,
            url_path=None if place == 0 else row.name,
            default=place == 0,
        )
        for place, row in enumerate(PAGES)
    ]


def page_script(name: str) -> Path:
    """Return the script of a page: each page is a room of its own."""
    return DASHBOARD / name / "page.py"


def go_to(name: str, **values: str | Sequence[str]) -> NoReturn:
    """Open a page with these values in its address, by the names of their parameters, and so in its inputs.

    The label and the data set that were looked at go along to Evaluate.
    """
    source = values.pop("source", None) or st.session_state.get("source")
    # The source's input stands on every page, so Streamlit lets nobody but the input set it in the address.
    st.session_state[_OPENING] = {"source": source}
    carried = {key: st.query_params[key] for key in _CARRIED.get(name, ()) if key in st.query_params}
    st.switch_page(page_script(name), query_params={**carried, **values})


def open_filled(name: str, inputs: dict[str, Any]) -> NoReturn:
    """Open a page with these values in its inputs, by their keys; they need not be words of a URL."""
    st.session_state[_OPENING] = {"source": st.session_state.get("source")} | inputs
    st.switch_page(page_script(name))


def afterwards(go: Callable[..., NoReturn], *arguments: Any, **named: Any) -> None:
    """Open a page (`go_to`, `open_filled`) from what a button does: then no page is known yet that could be opened."""
    st.session_state[_NEXT] = partial(go, *arguments, **named)
    st.rerun()


def open_with_values() -> None:
    """Go where a button asked to go, or give the inputs of this page the values that `go_to` left for them.

    To be called once the pages are known, before any input is drawn.
    """
    if go := st.session_state.pop(_NEXT, None):
        go()
    for key, value in st.session_state.pop(_OPENING, {}).items():
        if value is not None:
            st.session_state[key] = value


def go_button(name: str, label: str, **values: str | Sequence[str]) -> None:
    """Show a button that opens a page with these values in its inputs."""
    row = next(row for row in PAGES if row.name == name)
    st.button(
        plain(label),
        icon=row.icon,
        key=f"go-{name}",
        help=row.help,
        type="primary",
        # as drawn, whatever the page would show by the time that it is pressed
        on_click=afterwards,
        args=(go_to, name),
        kwargs=values,
    )
