"""A folder that grows here, and is sent to Cloud Storage as it grows."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from cxr_core.errors import StorageError, UsageError
from cxr_core.locations import join
from cxr_core.stamps import Stamp, file_stamp
from cxr_core.storage import send


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


def _send_changed(folder: Path, location: str, sent: dict[Path, Stamp]) -> None:
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        state = file_stamp(file)
        if sent.get(file) != state:
            send(file, join(location, file.relative_to(folder).as_posix()))
            sent[file] = state
