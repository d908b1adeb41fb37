"""What is said of an item of a checklist."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reply:
    """What is said of an item, or why it does not apply."""

    words: str
    applies: bool = True


#: None is for the authors to say.
Said = Reply | None
