"""What a run leaves on the disk when it is killed: temporary files of its own, and files that were half written."""

import shutil
import tempfile
from pathlib import Path


def scratch_folder(run_id: str) -> Path:
    """Return the folder for the temporary files of a run; anybody on this machine can find it after a crash."""
    return Path(tempfile.gettempdir()) / f"cxr-run-{run_id}"


def remove(home: Path, run_id: str) -> None:
    """Remove what a run has left whose processes are gone, but for what it keeps in its own folder."""
    shutil.rmtree(scratch_folder(run_id), ignore_errors=True)
    for place in (home / "runs" / run_id, home / "sources"):
        for half_written in place.rglob(f".*.{run_id}*.tmp"):  # see `cxr_core.atomic`
            half_written.unlink(missing_ok=True)
