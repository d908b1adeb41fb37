"""What Google's libraries raise, as one sentence that says what to do. Loads them only while it translates."""

import contextlib
import re
from collections.abc import Callable, Iterator

from cxr_core.errors import AccessError, CxrError, TableError, UsageError, WarehouseError
from cxr_core.settings import settings
from cxr_core.warehouse.google_credentials import renewal_words
from cxr_core.warehouse.google_reasons import reason_words

#: A project, which may belong to a domain.
_OWNER = r"((?:[\w.-]+\.\w+:)?[\w-]+)"
_TABLE = re.compile(rf"\b(?:Table|View) {_OWNER}[:.](\w+\.[\w-]+)")
_DATASET = re.compile(rf"\bDataset {_OWNER}[:.](\w+)")
_PROJECT = re.compile(rf"\bProject {_OWNER}")
_COLUMN = re.compile(r"Unrecognized name: (\w+)")
_LOCATION = re.compile(r"was not found in location ([\w-]+)")


@contextlib.contextmanager
def plain_errors(maximum_bytes_billed: int, key_file: str | None) -> Iterator[None]:
    """Turn what Google's libraries raise into a `CxrError`.

    Args:
        maximum_bytes_billed: the limit that queries have, to be named where it is exceeded.
        key_file: the file with the credentials in use, None for Application Default Credentials.
    """
    import requests
    from google.api_core import exceptions
    from google.auth import exceptions as auth

    try:
        yield
    except auth.InvalidOperation as error:
        raise UsageError(
            f"The server at {_address()} asks for credentials. Name a service account's key file as `credentials` "
            "of this source in cxr.toml."
        ) from error
    except auth.DefaultCredentialsError as error:
        raise UsageError(
            "BigQuery needs Google credentials, and none were found. Run `gcloud auth application-default login`, set "
            f"GOOGLE_APPLICATION_CREDENTIALS, or name a key file as `credentials` in cxr.toml. {_first_line(error)}"
        ) from error
    except (auth.RefreshError, auth.OAuthError) as error:
        raise _expired(key_file, error) from error
    except (exceptions.GoogleAPICallError, exceptions.RetryError) as error:
        raise _refusal(error, maximum_bytes_billed, key_file) from error
    except (TimeoutError, requests.ReadTimeout) as error:
        raise _too_slow() from error
    except (auth.TransportError, requests.RequestException, ConnectionError) as error:
        raise _unreachable() from error
    except OSError as error:
        raise UsageError(f"BigQuery needs to know which project pays: set `project` in cxr.toml. {error}") from error


def reason_of(error: Exception) -> str:
    """Return BigQuery's word for why it refused, such as `accessDenied`; "" where there is none."""
    errors = getattr(error, "errors", None) or [{}]
    first = errors[0]
    return str(first.get("reason", "")) if isinstance(first, dict) else ""


def _refusal(error: Exception, maximum: int, key_file: str | None) -> CxrError:
    """Say in words what BigQuery (or the client's own retrying) answered."""
    from google.api_core import exceptions

    if isinstance(error, exceptions.RetryError):
        return _given_up(error.cause, maximum, key_file)
    text, said = _message(error), f"BigQuery says: {_message(error)}"
    if reason_of(error) == "bytesBilledLimitExceeded" or "bytes billed" in text:
        return WarehouseError(
            f"The query would bill more than maximum_bytes_billed = {maximum:,} bytes. "
            f"Raise it for this source in cxr.toml. {said}"
        )
    if told := reason_words(reason_of(error), text):
        return WarehouseError(f"{told} {said}")
    words: tuple[tuple[type[Exception], Callable[[], CxrError]], ...] = (
        (exceptions.Unauthorized, lambda: _expired(key_file, error)),
        (exceptions.Forbidden, lambda: _denied(text, said)),
        (exceptions.NotFound, lambda: _missing(text, said)),
        (exceptions.GatewayTimeout, _too_slow),
        (exceptions.BadRequest, lambda: _wrong(text, said)),
    )
    for kind, worded in words:
        if isinstance(error, kind):
            return worded()
    return WarehouseError(f"BigQuery could not answer. Try again later, or check the tables. {said}")


def _given_up(cause: Exception | None, maximum: int, key_file: str | None) -> CxrError:
    """Say why Google's client, which tried again and again, got no answer."""
    import requests
    from google.api_core import exceptions

    if isinstance(cause, exceptions.GoogleAPICallError):
        return _refusal(cause, maximum, key_file)
    return _too_slow() if isinstance(cause, requests.ReadTimeout) else _unreachable()


def _denied(text: str, said: str) -> CxrError:
    if "jobs.create" in text and (project := _PROJECT.search(text)):
        return WarehouseError(
            f"You may not run queries in the project {project[1]}, which pays. Ask its owner for the role BigQuery "
            f"Job User there, or set another `project` in cxr.toml. {said}"
        )
    if table := _TABLE.search(text):
        return AccessError(
            f"You may not read the table {table[1]}.{table[2]}. Ask its owner for the role BigQuery Data Viewer on it, "
            f"or sign in as somebody who has it. {said}"
        )
    if dataset := _DATASET.search(text):
        return AccessError(
            f"You may not use the data set {dataset[1]}.{dataset[2]}. Ask its owner for the role BigQuery Data Viewer "
            f"on it (to write into it: BigQuery Data Editor). {said}"
        )
    return WarehouseError(
        "BigQuery refused access. Ask for the roles BigQuery Job User on the project that pays and BigQuery "
        f"Data Viewer on the tables. {said}"
    )


def _missing(text: str, said: str) -> CxrError:
    where = f" in the location {found[1]}" if (found := _LOCATION.search(text)) else ""
    hint = "Correct its name in cxr.toml" + (", or set the `location` of the data." if where else ".")
    if table := _TABLE.search(text):
        return TableError(f"BigQuery has no such table {table[1]}.{table[2]}{where}. {hint} {said}")
    if dataset := _DATASET.search(text):
        return TableError(f"BigQuery has no such data set {dataset[1]}.{dataset[2]}{where}. {hint} {said}")
    return TableError(f"BigQuery found no such project, data set or table. Correct cxr.toml. {said}")


def _wrong(text: str, said: str) -> CxrError:
    if column := _COLUMN.search(text):
        return TableError(f"The tables must have the column {column[1]}. Write or import them again. {said}")
    return WarehouseError(f"BigQuery could not answer. Check the tables. {said}")


def _expired(key_file: str | None, error: Exception) -> UsageError:
    todo = renewal_words(key_file)
    return UsageError(f"The Google credentials have expired or were revoked. {todo}. Google says: {_message(error)}")


def _too_slow() -> WarehouseError:
    seconds = settings().bigquery_timeout
    return WarehouseError(f"BigQuery did not answer within {seconds:g} s. Try again, or raise CXR_BIGQUERY_TIMEOUT.")


def _unreachable() -> WarehouseError:
    return WarehouseError(f"BigQuery cannot be reached at {_address()}. Check the network connection, then try again.")


def _address() -> str:
    return settings().bigquery_endpoint or "bigquery.googleapis.com"


def _message(error: Exception) -> str:
    """Return what Google says, without the address that was asked."""
    errors = getattr(error, "errors", None) or [{}]
    told = errors[0].get("message") if isinstance(errors[0], dict) else None
    return _first_line(told or getattr(error, "message", None) or error)


def _first_line(said: object) -> str:
    return str(said).split("\n", 1)[0]
