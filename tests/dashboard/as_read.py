"""A text of ours as the browser shows it, without what keeps it from being read as markup."""

import html
import re
from urllib.parse import parse_qsl


def as_read(markdown):
    return re.sub(r"\\([^a-zA-Z0-9\s])", r"\1", markdown.replace(":small[]", ""))


def wall_of(app):
    """The tiles of the wall on Images, each with its text, what its link asks for and the addresses that it names."""
    (body,) = (one.proto.body for one in app.get("html") if 'class="wall"' in one.proto.body)
    tiles = body.split('<div role="listitem">')[1:]
    return [
        (re.sub("<style>.*|<[^>]*>", " ", tile, flags=re.DOTALL), dict(parse_qsl(html.unescape(address))))
        for tile, address in zip(tiles, re.findall(r'href="images\?([^"]*)"', body), strict=True)
    ]


def without_links(markdown):
    """A text without the addresses of its links to images."""
    return re.sub(r"\[([^][]*)\]\(images\?[^)]*\)", r"\1", markdown)


def links_to_images(markdown):
    """The words of each link to images, with the parameters of its address."""
    found = re.findall(r"\[([^][]*)\]\(images\?([^)]*)\)", markdown)
    return [(words, dict(parse_qsl(address))) for words, address in found]
