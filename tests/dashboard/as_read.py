"""A text of ours as the browser shows it, without what keeps it from being read as markup."""

import re


def as_read(markdown):
    return re.sub(r"\\([^a-zA-Z0-9\s])", r"\1", markdown.replace(":small[]", ""))
