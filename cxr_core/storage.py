"""Locations that may lie on Cloud Storage: `gs://bucket/folder/file` beside paths of this machine.

What is read as a file (a model, a table) is copied into the workspace first and fetched again only when it changed
there. Google's libraries are loaded when the first gs:// location is touched, and not before.
"""

import contextlib
import hashlib
import logging
import math
import os
import posixpath
import re
import shutil
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, cast

from cxr_core.atomic import replacing
from cxr_core.errors import CxrError, StorageError, UsageError
from cxr_core.file_patterns import Limits, files_matching
from cxr_core.settings import settings
from cxr_core.stamps import Stamp, file_stamp, once_a_look

SCHEME = "gs://"
CACHE_FOLDER = "cache"

_LOCATION = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](/[^\x00-\x1f\x7f\\`]*)?")
#: A look-up is answered in a second or not at all; a transfer may take as long as a large model on a slow line.
LOOK_UP_SECONDS = 20.0
_TRANSFER_SECONDS = 3600.0
#: Listings are kept this long, since a page asks the same again at every choice.
_LISTING_SECONDS = 15.0
#: Who was just found to be out of reach, or without credentials, is not waited for again at every file of a source.
_DOWN_SECONDS = 30.0
_down: dict[str, tuple[float, str, type[CxrError]]] = {}
#: Copies of what was replaced on Cloud Storage stay so long, for those who read them right now.
_OLD_COPY_SECONDS = 3600.0
_READ_AHEAD_BYTES = 8 * 1024 * 1024


def is_remote(location: str | Path) -> bool:
    """Say whether a location is a URL rather than a path of this machine."""
    return isinstance(location, str) and "://" in location


def check_location(location: str) -> str:
    """Return a path of this machine or a legal gs:// location, else raise `UsageError`."""
    if is_remote(location) and not _LOCATION.fullmatch(location):
        raise UsageError(
            f"A location must be a path of this machine or gs://bucket/folder. Received: {location[:200]!r}."
        )
    return location


def join(folder: str, *names: str) -> str:
    """Return the location of something in a folder."""
    return "/".join([folder.rstrip("/"), *names]) if is_remote(folder) else str(Path(folder, *names))


def cache_folder() -> Path:
    """Return the folder of the workspace that holds copies of what lies on Cloud Storage."""
    return settings().home / CACHE_FOLDER / "gs"


def matching(pattern: str, limits: Limits | None = None) -> list[str]:
    """Return the files that match a pattern with `*`, `?` and `[…]`, sorted by name.

    Args:
        pattern: a path of this machine or a location on gs://.
        limits: how far a look through folders of this machine goes.

    Raises:
        UsageError: there are no credentials, the location is no legal one, or the limits were reached.
        StorageError: there is no such bucket, access is refused, or Cloud Storage cannot be reached.
    """
    if not is_remote(pattern):
        return files_matching(pattern, limits)
    with _plain_errors(pattern):
        try:
            found = _files().glob(_plain(pattern), detail=True, timeout=LOOK_UP_SECONDS)
        except FileNotFoundError:
            found = {}
        names = sorted(SCHEME + name for name, info in found.items() if info["type"] == "file")
        if not names:
            _check_bucket(pattern)
        return names


def files_by_name(pattern: str, field: str, name: str) -> dict[str, str]:
    """Return what `field` stands for in each file that matches a gs:// pattern, with the file's location.

    Args:
        pattern: a gs:// location with `field` in its last part, as in `gs://bucket/{model}.h5`.
        field: as in `{model}`.
        name: a regular expression that the field's value must match.
    """
    before, after = pattern.split(field, 1)
    same_again = re.escape(after).replace(re.escape(field), "(?P=name)")
    wanted = re.compile(f"{re.escape(before)}(?P<name>{name}){same_again}")
    matches = (wanted.fullmatch(found) for found in matching(pattern.replace(field, "*")))
    return {match["name"]: match[0] for match in matches if match}


def exists(location: str) -> bool:
    """Say whether a file is there; raises as `matching`."""
    if not is_remote(location):
        return Path(location).exists()
    with _plain_errors(location):
        try:
            _files().info(_plain(location), timeout=LOOK_UP_SECONDS)
        except FileNotFoundError:
            _check_bucket(location)
            return False
    return True


def version(location: str) -> str:
    """Return what changes when a file on Cloud Storage is replaced; raises as `matching`, also when it is not there."""
    with _plain_errors(location):
        info = _files().info(_plain(location), timeout=LOOK_UP_SECONDS)
    return f"{info.get('generation') or info.get('etag') or info.get('updated')}-{info['size']}"


def local_copy(location: str | Path) -> Path:
    """Return a path of this machine with the content of a file; what lies on Cloud Storage is fetched if need be."""
    if not is_remote(location):
        return Path(location)
    place = cast(str, location)
    target = cached_path(place, version(place))
    if not target.exists():
        with _plain_errors(place), replacing(target) as temporary:
            _files().get_file(_plain(place), str(temporary), timeout=_TRANSFER_SECONDS)
        _forget_older(target)
    return target


def cached_path(location: str, content: str) -> Path:
    """Return where what belongs to one version of a remote file is kept; older versions share its name up to a `@`."""
    name = re.sub(r"[^\w.-]", "_", posixpath.basename(location))[-120:]
    digest = hashlib.sha256(location.encode()).hexdigest()[:16]
    kept = re.sub(r"[^\w-]", "_", content)[:64]
    return cache_folder() / f"{digest}@{kept}@{name}"


@contextlib.contextmanager
def open_binary(location: str | Path) -> Iterator[BinaryIO]:
    """Yield a file for reading from its start to its end.

    Raises:
        OSError: a file of this machine cannot be opened.
        StorageError, UsageError: as `matching`, also while it is read.
    """
    if not is_remote(location):
        with Path(location).open("rb") as file:
            yield file
        return
    place = cast(str, location)
    with (
        _plain_errors(place),
        _files().open(_plain(place), "rb", block_size=_READ_AHEAD_BYTES, cache_type="readahead") as far,
    ):
        yield far


def send(file: Path, location: str) -> None:
    """Copy a file to a location, which is replaced as a whole; raises as `matching`."""
    if not is_remote(location):
        with replacing(Path(location)) as temporary:
            shutil.copyfile(file, temporary)
        return
    with _plain_errors(location):
        _files().put_file(str(file), _plain(location), timeout=_TRANSFER_SECONDS)


def check_writable(folder: str) -> None:
    """Write a small file into a gs:// folder and remove it: a wrong one is told now. Raises as `matching`."""
    probe = join(folder, f".cxr-lab-{uuid.uuid4().hex}")
    with _plain_errors(folder):
        _files().pipe_file(_plain(probe), b"CXR Lab may write here.", timeout=LOOK_UP_SECONDS)
        # Who may only create keeps this small file: that is no reason to refuse to work.
        with contextlib.suppress(Exception):
            _files().rm_file(_plain(probe), timeout=LOOK_UP_SECONDS)


@contextlib.contextmanager
def mirrored(folder: Path, location: str, seconds: float = 30.0) -> Iterator[None]:
    """Send the files of a growing folder to a gs:// folder now and then, and all of them in the end.

    What fails on the way is tried again the next time; what fails in the end is raised, as by `send`.
    """
    done, sending = threading.Event(), threading.Lock()
    sent: dict[Path, Stamp] = {}

    def send_now() -> None:
        with sending:
            _send_changed(folder, location, sent)

    def go_on() -> None:
        while not done.wait(seconds):
            with contextlib.suppress(UsageError, StorageError, OSError):
                send_now()

    thread = threading.Thread(target=go_on, name="mirror", daemon=True)
    thread.start()
    try:
        yield
    except BaseException:
        # What ended the work is what its user has to know.
        with contextlib.suppress(UsageError, StorageError, OSError):
            send_now()
        raise
    else:
        send_now()
    finally:
        done.set()
        thread.join()


def for_tensorflow(locations: Sequence[str]) -> list[str]:
    """Return where TensorFlow reads these files: it opens gs:// itself, but knows no endpoint other than Google's."""
    return [str(local_copy(place)) for place in locations] if settings().gcs_endpoint else list(locations)


def user_location(folder: str) -> str:
    """Return `<folder>/<user's folder>` of a gs:// folder, as the 2019 notebook keeps its users apart."""
    own = user_folder()
    return folder.rstrip("/") if folder.rstrip("/").endswith(f"/{own}") else join(folder, own)


def user_folder() -> str:
    """Return the user's folder: the account with everything but letters, digits and `_` made `_`, at most 128 long.

    The account is the setting `account`, else gcloud's active one (as in the notebook), else the login name.
    """
    account = settings().account or _gcloud_account() or _login_name()
    return re.sub(r"[^\w]", "_", account)[:128]


def forget_listings() -> None:
    """Ask anew what lies on Cloud Storage, though it was asked, or found to be out of reach, a moment ago."""
    _down.clear()
    # A new connection reads the credentials again, too: somebody may have signed in meanwhile.
    _file_system.cache_clear()


def _send_changed(folder: Path, location: str, sent: dict[Path, Stamp]) -> None:
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        state = file_stamp(file)
        if sent.get(file) != state:
            send(file, join(location, file.relative_to(folder).as_posix()))
            sent[file] = state


def _forget_older(target: Path) -> None:
    """Remove copies of older versions, a while after they were made."""
    prefix = target.name.partition("@")[0]
    for path in target.parent.glob(f"{prefix}@*"):
        with contextlib.suppress(OSError):
            if path != target and time.time() - path.stat().st_mtime > _OLD_COPY_SECONDS:
                path.unlink()


def _plain(location: str) -> str:
    return check_location(location).removeprefix(SCHEME)


def _bucket(location: str) -> str:
    return _plain(location).partition("/")[0]


def _check_bucket(location: str) -> None:
    """Raise when the bucket is not there; who may see its objects need not be allowed to see the bucket itself."""
    try:
        _files().info(_bucket(location), timeout=LOOK_UP_SECONDS)
    except FileNotFoundError as error:
        raise StorageError(
            f"There is no bucket gs://{_bucket(location)}. Correct its name, or make it. Received: {location}."
        ) from error
    except Exception:
        return


def _files() -> Any:
    """Return the file system of the endpoint that the settings name; a page that is drawn gets listings of its own."""
    endpoint = settings().gcs_endpoint
    files = _file_system(endpoint)
    once_a_look(("listings", endpoint), files.invalidate_cache)
    return files


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
def _plain_errors(location: str) -> Iterator[None]:
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


def _gcloud_account() -> str:
    """Return the account that gcloud works with, from its environment or its files; "" where there is none."""
    if account := os.environ.get("CLOUDSDK_CORE_ACCOUNT"):
        return account
    folder = Path(os.environ.get("CLOUDSDK_CONFIG") or Path.home() / ".config" / "gcloud")
    try:
        active = os.environ.get("CLOUDSDK_ACTIVE_CONFIG_NAME") or (folder / "active_config").read_text().strip()
        text = (folder / "configurations" / f"config_{active}").read_text()
    except OSError:
        return ""
    core = re.search(r"^\[core\]$(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL)
    found = re.search(r"^account\s*=\s*(\S+)\s*$", core[1], re.MULTILINE) if core else None
    return found[1] if found else ""


def _login_name() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no name for this user number, as in some containers
        return f"user_{os.getuid()}"
