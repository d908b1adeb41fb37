"""The connection to Cloud Storage, and what its libraries raise, as one sentence that says what to do.

Google's libraries are loaded when the first gs:// location is touched, and not before.
"""

import contextlib
import logging
import math
import os
import time
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from cxr_core.errors import CxrError, StorageError, UsageError
from cxr_core.locations import SCHEME, check_location
from cxr_core.settings import settings
from cxr_core.stamps import once_a_look

#: Listings are kept this long, since a page asks the same again at every choice.
_LISTING_SECONDS = 15.0
#: Who was just found to be out of reach, or without credentials, is not waited for again at every file of a source.
_DOWN_SECONDS = 30.0
_down: dict[str, tuple[float, str, type[CxrError]]] = {}


def forget_listings() -> None:
    """Ask anew what lies on Cloud Storage, though it was asked, or found to be out of reach, a moment ago."""
    _down.clear()
    # A new connection reads the credentials again, too: somebody may have signed in meanwhile.
    _file_system.cache_clear()


def plain(location: str) -> str:
    """Return a gs:// location as `bucket/folder/file`, or raise `UsageError`."""
    return check_location(location).removeprefix(SCHEME)


def _bucket(location: str) -> str:
    return plain(location).partition("/")[0]


def check_bucket(location: str, seconds: float) -> None:
    """Raise when the bucket is not there; who may see its objects need not be allowed to see the bucket itself."""
    try:
        files().info(_bucket(location), timeout=seconds)
    except FileNotFoundError as error:
        raise StorageError(
            f"There is no bucket gs://{_bucket(location)}. Correct its name, or make it. Received: {location}."
        ) from error
    except Exception:
        return


def files() -> Any:
    """Return the file system of the endpoint that the settings name; a page that is drawn gets listings of its own."""
    endpoint = settings().gcs_endpoint
    found = _file_system(endpoint)
    once_a_look(("listings", endpoint), found.invalidate_cache)
    return found


@lru_cache(maxsize=4)
def _file_system(endpoint: str) -> Any:
    _choose_plain_gcsfs()
    from gcsfs.core import GCSFileSystem

    # It writes every error with its traceback to the log, which would stand beside our one sentence.
    logging.getLogger("gcsfs").setLevel(logging.CRITICAL + 1)
    return GCSFileSystem(
        token="anon" if endpoint else "google_default",
        endpoint_url=endpoint or None,
        listings_expiry_time=_LISTING_SECONDS,
        skip_instance_cache=True,
    )


def _choose_plain_gcsfs() -> None:
    # Read while gcsfs is imported: its other file system asks for the kind of each bucket, over gRPC.
    os.environ["GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"] = "false"


@contextlib.contextmanager
def plain_errors(location: str) -> Iterator[None]:
    """Turn what Google's libraries raise into one sentence that says what to do."""
    _choose_plain_gcsfs()
    import aiohttp
    import requests
    from fsspec.exceptions import FSTimeoutError
    from gcsfs.retry import HttpError
    from google.auth import exceptions as auth

    _raise_if_down()
    try:
        yield
    except auth.RefreshError as error:
        raise UsageError(
            "The Google credentials have expired or were withdrawn. Run `gcloud auth application-default login` again."
        ) from error
    except auth.DefaultCredentialsError as error:
        raise _remembered(
            UsageError(
                "Cloud Storage needs Google credentials, and none were found. Run `gcloud auth application-default "
                "login`, or set GOOGLE_APPLICATION_CREDENTIALS."
            )
        ) from error
    except FileNotFoundError as error:
        raise StorageError(f"Nothing lies at {location}. Correct the name, or put the file there.") from error
    except (
        FSTimeoutError,
        TimeoutError,
        aiohttp.ClientError,
        requests.RequestException,
        auth.TransportError,
        ConnectionError,
    ) as error:
        raise _remembered(
            StorageError(f"Cloud Storage cannot be reached at {_address()}. Check the network, then try again.")
        ) from error
    except HttpError as error:
        raise _refusal(location, str(error), getattr(error, "code", None)) from error
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise _refusal(location, str(error)) from error


def _remembered(error: CxrError) -> CxrError:
    _down[_address()] = (time.monotonic(), str(error), type(error))
    return error


def _raise_if_down() -> None:
    since, message, kind = _down.get(_address(), (-math.inf, "", StorageError))
    if time.monotonic() - since < _DOWN_SECONDS:
        raise kind(message)


def _refusal(location: str, said: str, code: object = None) -> StorageError:
    words = " ".join(said.split())[:300]
    if str(code) in ("401", "403") or said.startswith("Forbidden"):
        return StorageError(
            f"Cloud Storage refused access to {location}. Ask for the role Storage Object Viewer (to read) or Storage "
            f"Object User (to write) on the bucket. Cloud Storage says: {words}"
        )
    return StorageError(f"Cloud Storage could not answer for {location}. Try again later. It says: {words}")


def _address() -> str:
    return settings().gcs_endpoint or "storage.googleapis.com"
