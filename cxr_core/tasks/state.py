"""How a source stands: what everything that is made of its tables comes from, looked at without reading a table."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from cxr_core.locations import is_remote
from cxr_core.settings import settings
from cxr_core.sources.registry import get_source
from cxr_core.sources.source import Source
from cxr_core.stamps import Stamp, file_size, file_stamp, looked
from cxr_core.warehouse.tables import is_file


@dataclass(frozen=True)
class SourceState:
    """How a source stands.

    `stamp` is another one when its definition, one of the tables, or a setting is; `changed` is when the rows of a
    table changed last, in seconds since 1970, None where nothing tells; `unchecked` are tables about which nobody
    could be asked just now; `size` is what the tables take on this machine's disks, in bytes.
    """

    stamp: Hashable
    changed: float | None
    unchecked: tuple[str, ...]
    size: int = 0


def source_state(source_name: str, models: Sequence[str] | None = ()) -> SourceState:
    """Return how a source stands, by its label tables and the prediction tables of some models.

    Args:
        source_name: the source.
        models: whose prediction tables count; None for all there are, and then the models' own files count too.

    Raises:
        UnknownNameError, SettingsError: there is no such source, or its definition is wrong.
        StorageError, UsageError, WarehouseError: the tables or models cannot be listed.
    """
    asked = None if models is None else tuple(models)
    return looked(("source", source_name, asked), lambda: _state(get_source(source_name), asked))


def _state(source: Source, models: tuple[str, ...] | None) -> SourceState:
    warehouse = source.warehouse()
    tables = warehouse.states(models)
    weights = _weights(source) if models is None else ()
    stamps = tuple((table.location, table.stamp) for table in tables)
    changed = [table.changed for table in tables if table.changed is not None]
    return SourceState(
        stamp=(source, warehouse.refreshes, stamps, weights, settings()),
        changed=max(changed, default=None),
        unchecked=tuple(table.location for table in tables if not table.is_checked),
        size=sum(file_size(one.stamp) for one in tables if is_file(one.location) and not is_remote(one.location)),
    )


def _weights(source: Source) -> tuple[tuple[str, str, Stamp], ...]:
    """Return the models' own files with their stamps; of one on gs:// only its name tells anything."""
    files = sorted(source.weights().items())
    return tuple((name, place, () if is_remote(place) else file_stamp(place)) for name, place in files)
