"""Which of several label tables hold a data set, by what they are called."""

import re
from collections.abc import Sequence

from cxr_core.schema import DATASETS

#: What people call a data set, beside the name that we have for it.
_CALLED = {"validate": "valid", "validation": "valid", "val": "valid", "training": "train", "testing": "test"}


def tables_called(dataset: str, places: Sequence[str]) -> tuple[str, ...]:
    """Return the tables that are called by a data set; all, unless each of them is called by exactly one.

    >>> tables_called("valid", ["p.d.labels_train", "p.d.labels_valid"])
    ('p.d.labels_valid',)
    """
    called = [_dataset_in(place) for place in places]
    chosen = tuple(place for place, name in zip(places, called, strict=True) if name == dataset)
    return tuple(places) if None in called or not chosen else chosen


def _dataset_in(place: str) -> str | None:
    words = re.split(r"[^a-z]+", place.rpartition(".")[2].lower())
    found = {_CALLED.get(word, word) for word in words} & {*DATASETS}
    return found.pop() if len(found) == 1 else None
