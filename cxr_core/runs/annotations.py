"""What people write on a run, notes and tags, checked before it is kept."""

from collections.abc import Iterable

from cxr_core.errors import UsageError

MOST_NOTES_CHARACTERS = 10_000
MOST_TAG_CHARACTERS = 40


def checked_notes(notes: str) -> str:
    """Return the text without blanks around it, or raise `UsageError`."""
    text = notes.strip()
    if len(text) > MOST_NOTES_CHARACTERS:
        raise UsageError(f"Notes hold at most {MOST_NOTES_CHARACTERS:,} characters. Received: {len(text):,}.")
    return text


def checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return the tags without blanks around them, each once, in the order given, or raise `UsageError`."""
    kept = tuple(dict.fromkeys(tag.strip() for tag in tags))
    for tag in kept:
        if not 1 <= len(tag) <= MOST_TAG_CHARACTERS or "," in tag or not tag.isprintable():
            raise UsageError(
                f"A tag must be 1 to {MOST_TAG_CHARACTERS} characters without comma or line break. Received: {tag!r}."
            )
    return kept
