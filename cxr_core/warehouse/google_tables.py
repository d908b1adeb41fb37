"""What BigQuery's catalogue says of tables, which is free of charge: what they are, and when their rows changed.

Within one look (a page that is drawn) each table is asked about once, and many of them side by side. A catalogue that
gives no answer is left alone for a while: what was found last stands, and whoever shows it says so.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cxr_core.errors import AccessError, CxrError, TableError
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
_last: dict[_Place, TableState] = {}


def table_states(account: Account, locations: Sequence[str]) -> tuple[TableState, ...]:
    """Return how tables stand; raises nothing."""
    places = [(account, settings().bigquery_endpoint, location) for location in locations]
    found = looked_at(places, _states)
    return tuple(found[place] for place in places)


def look_up(seconds: float = _LOOK_UP_SECONDS) -> dict[str, Any]:
    """Return the options of a request to the catalogue, which answers within a second or not at all."""
    seconds = min(seconds, settings().bigquery_timeout)
    return {"timeout": seconds, "retry": retry_within(seconds)}


def retry_within(seconds: float) -> Any:
    """Return Google's rules for what is tried again, ended after so many seconds instead of ten minutes."""
    from google.cloud.bigquery import DEFAULT_RETRY

    return DEFAULT_RETRY.with_timeout(seconds)


def _states(places: list[_Place]) -> dict[_Place, TableState]:
    if len(places) == 1:
        return {places[0]: _state(places[0])}
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="catalogue") as executor:
        return dict(zip(places, executor.map(_state, places), strict=True))


def _state(place: _Place) -> TableState:
    account, _, location = place
    if is_silent(account):
        return _as_last(place)
    try:
        with plain_errors(settings().maximum_bytes_billed, account.key_file):
            table = client_of(account).get_table(location, **look_up(_STATE_SECONDS))
    except AccessError:
        return _as_last(place)
    except TableError:
        _last[place] = TableState(location, (), None)
    except CxrError:
        note_silence(account)
        return _as_last(place)
    else:
        _last[place] = TableState(location, _stamp(table), _changed(table))
    return _last[place]


def _as_last(place: _Place) -> TableState:
    return replace(_last.get(place, TableState(place[2], (), None)), is_checked=False)


def _stamp(table: "bigquery.Table") -> Stamp:
    # What streams in changes the counts before it changes the time.
    streaming = table.streaming_buffer
    arriving = None if streaming is None else (streaming.estimated_rows, str(streaming.oldest_entry_time))
    return (table.etag, str(table.modified), table.num_rows, table.num_bytes, arriving)


def _changed(table: "bigquery.Table") -> float | None:
    """Return when the rows changed; of a view only its definition has a time, which tells nothing."""
    return table.modified.timestamp() if table.modified is not None and table.table_type == "TABLE" else None
