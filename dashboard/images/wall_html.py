"""The wall as one piece of HTML: 24 tiles of elements of their own took a browser longer than the rest of the page.

A tile is a picture that the browser fetches once it comes near, a caption and a link that the whole tile answers to.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from dashboard.shared.image_links import THUMBNAIL_PIXELS

_STYLE = """<style>
.wall { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(max(110px, (100% - 7.1rem) / 8), 1fr)); }
.wall > div { position: relative; font-size: .875rem; overflow-wrap: anywhere; }
.wall img { display: block; width: 100%; height: auto; aspect-ratio: 1; object-fit: contain; background: #000; }
.wall span { display: block; margin: .25rem 0; }
.wall a { color: inherit; }
.wall a::after { content: ""; position: absolute; inset: 0; }
.wall a:focus-visible { outline: none; }
.wall a:focus-visible::after { outline: 3px solid currentColor; outline-offset: 2px; }
</style>"""


@dataclass(frozen=True)
class Tile:
    """What is shown of an image: the caption, why it is in the group, and where a click leads.

    `place` is its number in the group; `picture` the address of its thumbnail, "" where `caption` says why there is
    none; `link` the address of the page with the image large, "" for a study without a single image.
    """

    place: int
    caption: str
    why: str
    picture: str
    link: str


def wall_html(tiles: Iterable[Tile]) -> str:
    """Return the wall; every text of others is escaped."""
    return f'<div class="wall" role="list">{"".join(map(_tile, tiles))}</div>{_STYLE}'


def _tile(tile: Tile) -> str:
    size = f'width="{THUMBNAIL_PIXELS}" height="{THUMBNAIL_PIXELS}"'
    source = f'src="{escape(tile.picture)}" alt="Image {tile.place}"'
    picture = f'<img loading="lazy" decoding="async" {size} {source}>' if tile.picture else ""
    caption = f'<span id="tile-{tile.place}">{escape(tile.caption)}</span>'
    return f'<div role="listitem">{picture}{caption}{_link(tile)}</div>'


def _link(tile: Tile) -> str:
    if not tile.link:
        return f'<span title="{escape(tile.why)}">A whole study</span>'
    told = f'title="{escape(tile.why)}" aria-describedby="tile-{tile.place}"'
    return f'<a href="{escape(tile.link)}" target="_self" {told}>Open {tile.place}</a>'
