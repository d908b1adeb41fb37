"""The groups of a pack: whom a model serves worse, by the columns that a paper tells of."""

from collections.abc import Sequence
from typing import Any

from cxr_core.tasks.gaps import gaps_at
from cxr_core.tasks.groups import ways_to_split
from cxr_core.tasks.threshold_cards import Card, Rule

#: By what images are split where nobody says otherwise and the source tells it.
USUAL = ("sex", "age")


def columns_of_pack(source_name: str, by: Sequence[str]) -> list[str]:
    """Return the columns that are asked for, else the usual ones that the source has."""
    return list(by) or [column for column in USUAL if column in ways_to_split(source_name)]


def groups_of_pack(
    source_name: str,
    model: str,
    where: tuple[str, str | None, str],
    by: Sequence[str],
    card: Card | None,
    scale: str,
) -> dict[str, Any] | None:
    """Return what `gaps --json` prints of a model; None where there is no column.

    Without a card there are no sensitivities and specificities; AUC and calibration of the groups are there.

    Raises:
        UnknownNameError: there is no such column.
        TableError, WarehouseError: as `gaps` raises.
    """
    if not by:
        return None
    dataset, view, judge = where
    cut = card or Card("", model, source_name, scale, Rule("youden"), dataset, view, judge, {})
    return gaps_at(cut, source_name, model, by, dataset, view, judge).as_json()
