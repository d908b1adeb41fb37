"""How much of a set of readings is no sample: films picked by what is said of them, or read with that in sight."""

from dataclasses import dataclass

from cxr_core.schema import SET_ASIDE_COLUMN
from cxr_core.sources.registry import ready_source


@dataclass(frozen=True)
class PickedFilms:
    """Of `n` readings of a set, one a film or study and reader, `n_set_aside` tell of some label no share."""

    n: int
    n_set_aside: int


def count_picked(source_name: str, set_name: str) -> PickedFilms:
    """Count the readings of a set that are set aside; raises `UnknownNameError` where there is no such set."""
    readings = ready_source(source_name).warehouse().readings(set_name)
    aside = readings[SET_ASIDE_COLUMN] != "" if SET_ASIDE_COLUMN in readings else readings["path"].isna()
    return PickedFilms(len(readings), int(aside.sum()))
