"""What a run leaves on the disk when it is killed: temporary files of its own, and files that were half written."""

import shutil
import tempfile
from pathlib import Path


def scratch_folder(run_id: str) -> Path:
    """Return the folder for the temporary files of a run; anybody on this machine can find it after a crash."""
    return Path(tempfile.gettempdir()) / f"cxr-run-{run_id}"


def remove(folder: Path) -> None:
    """Remove what is left of a run whose processes are gone, beside what it keeps in its own folder."""
    shutil.rmtree(scratch_folder(folder.name), ignore_errors=True)
    for half_written in folder.rglob(".*.tmp"):  # see `cxr_core.atomic`
        half_written.unlink(missing_ok=True)
