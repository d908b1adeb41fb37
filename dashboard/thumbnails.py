"""The thumbnails of the wall on Images: each is made when a browser asks for it, and nobody keeps it.

They are no part of the page, so that the page waits for none of them, and the browser asks only for those in sight.
"""

import textwrap
from html import escape

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from streamlit import config
from streamlit.url_util import make_url_path

from cxr_core.errors import CxrError, RecordError
from cxr_core.stamps import one_look
from cxr_core.tasks.image_pictures import thumbnail
from dashboard.shared.image_links import THUMBNAIL, THUMBNAIL_PIXELS

#: No browser writes them to its disk, and no foreign page can show them or learn by them which images there are.
_HEADERS = {"Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "same-origin"}
_LINE_LETTERS, _MOST_LINES = 24, 8


def thumbnail_routes() -> list[Route]:
    """Return the route of the thumbnails; each is made in a thread, so that no page waits for it."""
    return [Route(make_url_path(config.get_option("server.baseUrlPath") or "", THUMBNAIL), _thumbnail)]


def _thumbnail(request: Request) -> Response:
    source, path = (request.query_params.get(name, "") for name in ("source", "path"))
    try:
        with one_look():
            jpg = thumbnail(source, path, THUMBNAIL_PIXELS, request.query_params.getlist("former"))
    except RecordError as error:
        return Response(_told(f"No picture: {error}"), media_type="image/svg+xml", headers=_HEADERS)
    except CxrError as error:
        return PlainTextResponse(f"{error}\n", 404, headers=_HEADERS)
    return Response(jpg, media_type="image/jpeg", headers=_HEADERS)


def _told(sentence: str) -> str:
    """Return a picture that says a sentence."""
    lines = textwrap.wrap(sentence, _LINE_LETTERS)[:_MOST_LINES]
    spans = "".join(f'<tspan x="8" dy="1.3em">{escape(line)}</tspan>' for line in lines)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {THUMBNAIL_PIXELS} {THUMBNAIL_PIXELS}">'
        f'<rect width="100%" height="100%" fill="#1B222B"/>'
        f'<text fill="#E4E9EF" font-family="sans-serif" font-size="11">{spans}</text></svg>'
    )
