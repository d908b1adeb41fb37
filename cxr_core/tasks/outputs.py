"""Where a run may write besides the workspace, and whether it can.

The command line acts for the person whose account it runs under, so it writes wherever that person may. A page acts
for whoever reaches it, and what it sends can be forged: the engine lets it write only below the workspace and the
folders of the setting `output_folders`.
"""

import tempfile
from pathlib import Path, PurePosixPath

from cxr_core.errors import UsageError
from cxr_core.settings import settings
from cxr_core.storage import check_writable, is_remote


def check_output(what: str, place: str) -> None:
    """Raise `UsageError` when a page may not let a run write to `place`, an absolute folder or one on gs://.

    Links are followed, so that none leads out of the allowed folders.
    """
    allowed = (str(settings().home), *settings().output_folders)
    if place and not any(_is_below(place, folder) for folder in allowed):
        raise UsageError(
            f"The {what} must lie in one of the folders that pages may write to: {', '.join(allowed)}. "
            f"Received: {place}. Choose another, or add it to the setting output_folders."
        )


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


def _is_below(place: str, folder: str) -> bool:
    if ("://" in place) != ("://" in folder):
        return False
    if "://" in place:
        return ".." not in place.split("/") and PurePosixPath(place).is_relative_to(PurePosixPath(folder))
    return Path(place).resolve().is_relative_to(Path(folder).resolve())
