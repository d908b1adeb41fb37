"""Whether the workspace lies on another machine's disk, which neither SQLite's locks nor its shared memory reach."""

import re
from functools import lru_cache
from pathlib import Path

from cxr_core.runs.identity import PROC
from cxr_core.settings import settings

_NETWORK = {
    *("nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "9p", "afs", "afpfs", "webdav", "davfs", "ncpfs", "coda"),
    *("lustre", "ceph", "glusterfs", "beegfs", "gpfs", "orangefs", "pvfs2", "ocfs2", "gfs2", "wekafs", "virtiofs"),
    *("prl_fs", "vboxsf", "vmhgfs", "macfuse", "osxfuse"),
}
#: FUSE file systems that are local; every other one is taken for remote: sshfs, gcsfuse, s3fs, rclone, …
_LOCAL_FUSE = {"fuse.fuse-overlayfs", "fuse.ntfs-3g", "fuse.encfs", "fuse.gocryptfs", "fuse.mergerfs", "fuseblk"}


def workspace_warning() -> str | None:
    """Return what must be known of a workspace on a network file system; None where it lies on a local disk."""
    home = settings().home
    kind = network_file_system(home)
    if kind is None:
        return None
    return (
        f"The workspace {home} lies on a network file system ({kind}): runs of other machines are known by their signs "
        "of life alone, and two machines that write at once may damage the store of runs. Set CXR_HOME to a local disk."
    )


@lru_cache(maxsize=32)
def network_file_system(path: Path) -> str | None:
    """Return the type of the network file system that `path` lies on, or None; what cannot be told is local."""
    kind = _type_at(path.resolve(), _mounts())
    return kind if kind is not None and _is_network(kind) else None


def _is_network(kind: str) -> bool:
    return kind in _NETWORK or (kind.startswith("fuse") and kind not in _LOCAL_FUSE)


def _type_at(path: Path, mounts: list[tuple[str, str]]) -> str | None:
    """Return the type of the deepest mount above `path`, of several at one place the last."""
    above = [(len(Path(point).parts), kind) for point, kind in mounts if path.is_relative_to(point)]
    deepest = max((depth for depth, _ in above), default=None)
    return next((kind for depth, kind in reversed(above) if depth == deepest), None)


def _mounts() -> list[tuple[str, str]]:
    """Return (mount point, type) of every mount, in the order in which they were made."""
    try:
        return mounts_in((PROC / "self" / "mountinfo").read_text())
    except OSError:
        import psutil

        return [(mount.mountpoint, mount.fstype) for mount in psutil.disk_partitions(all=True)]


def mounts_in(mountinfo: str) -> list[tuple[str, str]]:
    """Return (mount point, type) of each line of Linux's mountinfo; see proc_pid_mountinfo(5)."""
    mounts = []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        mounts.append((_unescaped(before.split()[4]), after.split()[0]))
    return mounts


def _unescaped(point: str) -> str:
    return re.sub(r"\\(\d{3})", lambda found: chr(int(found[1], 8)), point)
