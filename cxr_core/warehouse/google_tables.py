"""What BigQuery's catalogue says of tables, which is free of charge: what they are, and when their rows changed.

Within one look (a page that is drawn) each table is asked about once, and many of them side by side. A catalogue that
gives no answer is left alone for a while: what was found last stands, and whoever shows it says so.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cxr_core.errors import AccessError, CxrError, TableError, UsageError
from cxr_core.settings import settings
from cxr_core.stamps import Stamp, looked_at
from cxr_core.warehouse.google_client import Account, client_of, is_silent, note_silence
from cxr_core.warehouse.google_errors import plain_errors
from cxr_core.warehouse.sql_runner import TableState

if TYPE_CHECKING:
    from google.cloud import bigquery

#: A page waits no longer before it is drawn with what was found last.
_STATE_SECONDS = 5.0
_LOOK_UP_SECONDS = 15.0
_AT_ONCE = 8

_Place = tuple[Account, str, str]


@dataclass(frozen=True)
class _Entry:
    """How a table stands, the table as it was found last, and why it could not be asked about just now."""

    state: TableState
    table: "bigquery.Table | None" = None
    error: CxrError | None = None


_last: dict[_Place, _Entry] = {}


def table_states(account: Account, locations: Sequence[str]) -> tuple[TableState, ...]:
    """Return how tables stand; raises nothing."""
    return tuple(entry.state for entry in _looked_up(account, locations))


def found_tables(account: Account, locations: Sequence[str]) -> "tuple[bigquery.Table | None, ...]":
    """Return tables as they were found last, None for one that was never found; raises nothing."""
    return tuple(entry.table for entry in _looked_up(account, locations))


def described_table(account: Account, location: str) -> "bigquery.Table":
    """Return a table.

    Raises:
        TableError, AccessError, UsageError: it is not there, may not be seen, or there are no credentials.
        WarehouseError: the catalogue does not answer, and never did.
    """
    (entry,) = _looked_up(account, [location])
    if isinstance(entry.error, (TableError, AccessError, UsageError)):
        raise entry.error
    if entry.table is not None:
        return entry.table
    # The look had no patience, or none was tried.
    with plain_errors(settings().maximum_bytes_billed, account.key_file):
        return client_of(account).get_table(location, **look_up())


def _looked_up(account: Account, locations: Sequence[str]) -> tuple[_Entry, ...]:
    places = [(account, settings().bigquery_endpoint, location) for location in locations]
    found = looked_at(places, _entries)
    return tuple(found[place] for place in places)


def look_up(seconds: float = _LOOK_UP_SECONDS) -> dict[str, Any]:
    """Return the options of a request to the catalogue, which answers within a second or not at all."""
    seconds = min(seconds, settings().bigquery_timeout)
    return {"timeout": seconds, "retry": retry_within(seconds)}


def retry_within(seconds: float) -> Any:
    """Return Google's rules for what is tried again, ended after so many seconds instead of ten minutes."""
    from google.cloud.bigquery import DEFAULT_RETRY

    return DEFAULT_RETRY.with_timeout(seconds)


def _entries(places: list[_Place]) -> dict[_Place, _Entry]:
    if len(places) == 1:
        return {places[0]: _entry(places[0])}
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="catalogue") as executor:
        return dict(zip(places, executor.map(_entry, places), strict=True))


def _entry(place: _Place) -> _Entry:
    account, _, location = place
    if is_silent(account):
        return _as_last(place)
    try:
        with plain_errors(settings().maximum_bytes_billed, account.key_file):
            table = client_of(account).get_table(location, **look_up(_STATE_SECONDS))
    except AccessError as error:
        return _as_last(place, error)
    except TableError as error:
        _last[place] = _Entry(TableState(location, (), None), error=error)
    except CxrError as error:
        note_silence(account)
        return _as_last(place, error)
    else:
        _last[place] = _Entry(TableState(location, _stamp(table), _changed(table)), table)
    return _last[place]


def _as_last(place: _Place, error: CxrError | None = None) -> _Entry:
    last = _last.get(place, _Entry(TableState(place[2], (), None)))
    return replace(last, state=replace(last.state, is_checked=False), error=error or last.error)


def _stamp(table: "bigquery.Table") -> Stamp:
    # What streams in changes the counts before it changes the time.
    streaming = table.streaming_buffer
    arriving = None if streaming is None else (streaming.estimated_rows, str(streaming.oldest_entry_time))
    return (table.etag, str(table.modified), table.num_rows, table.num_bytes, arriving)


def _changed(table: "bigquery.Table") -> float | None:
    """Return when the rows changed; of a view only its definition has a time, which tells nothing."""
    return table.modified.timestamp() if table.modified is not None and table.table_type == "TABLE" else None
