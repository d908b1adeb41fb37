"""A text of ours as the browser shows it, without what keeps it from being read as markup."""

import re
from urllib.parse import parse_qsl


def as_read(markdown):
    return re.sub(r"\\([^a-zA-Z0-9\s])", r"\1", markdown.replace(":small[]", ""))


def without_links(markdown):
    """A text without the addresses of its links to images."""
    return re.sub(r"\[([^][]*)\]\(images\?[^)]*\)", r"\1", markdown)


def links_to_images(markdown):
    """The words of each link to images, with the parameters of its address."""
    found = re.findall(r"\[([^][]*)\]\(images\?([^)]*)\)", markdown)
    return [(words, dict(parse_qsl(address))) for words, address in found]
