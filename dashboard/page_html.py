"""The HTML of every page: Streamlit's own, with a script that runs before it.

Streamlit has no place for one in its file, and what a page draws comes too late: the server is looked for before.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route
from streamlit import config, file_util
from streamlit.url_util import make_url_path

SCRIPT = Path(__file__).with_name("in_the_browser.js")
_HEAD = "<head>"


def page_routes(names: Sequence[str]) -> list[Route]:
    """Return the routes of the pages by their names in the address, and of the start page."""
    base = config.get_option("server.baseUrlPath") or ""
    return [Route(make_url_path(base, name), _page) for name in ("", *names)]


def _page(_request: Request) -> HTMLResponse:
    # As Streamlit serves it: another version of Streamlit has other names of files in it.
    return HTMLResponse(page_html(), headers={"Cache-Control": "no-cache"})


@cache
def page_html() -> str:
    """Return what a browser is given for every page."""
    html = (Path(file_util.get_static_dir()) / "index.html").read_text(encoding="utf-8")
    return html.replace(_HEAD, f"{_HEAD}\n<script>\n{SCRIPT.read_text(encoding='utf-8')}</script>", 1)
