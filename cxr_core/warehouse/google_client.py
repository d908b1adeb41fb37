"""Clients of BigQuery: with whose credentials, for which project, at which address."""

import math
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from cxr_core.settings import settings
from cxr_core.warehouse.google_credentials import credentials_of

if TYPE_CHECKING:
    from google.cloud import bigquery

#: Who asks, on the bill; BigQuery allows lower-case letters, digits, '_' and '-'.
APP = "cxr-lab"

_making = threading.Lock()
_clients: dict[tuple["Account", str], "bigquery.Client"] = {}
#: Who got no answer from the catalogue, and when (a monotonic time).
_silent: dict[tuple["Account", str], float] = {}
#: The catalogue is left alone so long after it gave no answer.
_SILENT_SECONDS = 15.0


class Account(NamedTuple):
    """Who asks, who pays, and where the data lie.

    None stands for the project of the credentials, Application Default Credentials, and "BigQuery finds out".
    """

    project: str | None = None
    key_file: str | None = None
    location: str | None = None


def client_of(account: Account) -> "bigquery.Client":
    """Return the client of an account, made at the first call; at an endpoint without key file, it is nobody's.

    Raises:
        UsageError: the file holds no credentials.
    """
    key = (account, settings().bigquery_endpoint)
    with _making:
        if key not in _clients:
            _clients[key] = _client(*key)
        return _clients[key]


def forget_clients() -> None:
    """Close all clients; those made from now on read the credentials again."""
    with _making:
        closing = list(_clients.values())
        _clients.clear()
        _silent.clear()
    for client in closing:
        client.close()


def note_silence(account: Account) -> None:
    """Keep in mind that the catalogue gave this account no answer just now."""
    _silent[account, settings().bigquery_endpoint] = time.monotonic()


def is_silent(account: Account) -> bool:
    """Say whether the catalogue gave this account no answer a moment ago, so that nobody waits for it again."""
    since = _silent.get((account, settings().bigquery_endpoint), -math.inf)
    return time.monotonic() - since < _SILENT_SECONDS


def _client(account: Account, endpoint: str) -> "bigquery.Client":
    from google.api_core.client_options import ClientOptions
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import bigquery

    credentials, project = None, account.project
    if account.key_file:
        credentials, of_file = credentials_of(account.key_file)
        project = project or of_file
    elif endpoint:
        credentials, project = AnonymousCredentials(), project or APP
    options = ClientOptions(api_endpoint=endpoint) if endpoint else None
    return bigquery.Client(project, credentials, location=account.location, client_options=options)
