"""Whether a run can write where it is asked to."""

import tempfile
from pathlib import Path

from cxr_core.errors import UsageError
from cxr_core.locations import is_remote
from cxr_core.storage import check_writable


def make_writable(folder: str) -> None:
    """Make a local folder, or write into one on gs://: a wrong one is told now rather than after hours of training."""
    if not folder:
        return
    if is_remote(folder):
        check_writable(folder)
        return
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise UsageError(
            f"{folder} must be a folder to write to. Received: {error.strerror}. Choose another."
        ) from error
