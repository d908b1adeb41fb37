"""Which files and hosts this process looks at, as far as Python itself tells: opening, listing, asking for a status."""

import contextlib
import os
import sys
from unittest import mock

_FILES = {
    "open",
    "os.listdir",
    "os.scandir",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.symlink",
    "shutil.copyfile",
}
_HOSTS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.connect"}
_watching: list["Watched"] = []


class Watched:
    """What was looked at: paths, and hosts other than this machine."""

    def __init__(self):
        self.paths = set()
        self.hosts = set()

    def below(self, folder):
        return sorted(
            path for path in self.paths if path == str(folder) or path.startswith(f"{str(folder).rstrip('/')}/")
        )


def _hook(event, arguments):
    if not _watching or (event not in _FILES and event not in _HOSTS):
        return
    for watched in _watching:
        if event in _FILES:
            _note(watched, arguments[0])
        elif (host := _host(event, arguments)) not in ("127.0.0.1", "localhost", "::1", None):
            watched.hosts.add(host)


def _host(event, arguments):
    address = arguments[1] if event == "socket.connect" else arguments
    return address[0] if isinstance(address, tuple) and len(address) >= 2 else None


def _note(watched, path):
    if isinstance(path, str | bytes | os.PathLike):
        watched.paths.add(os.fsdecode(path))


sys.addaudithook(_hook)


@contextlib.contextmanager
def watched():
    """Watch every thread of this process."""
    found = Watched()
    _watching.append(found)
    try:
        with contextlib.ExitStack() as patches:
            for name in ("stat", "lstat", "readlink"):
                patches.enter_context(mock.patch(f"os.{name}", _telling(getattr(os, name), found)))
            yield found
    finally:
        _watching.remove(found)


def _telling(call, found):
    def told(path, *arguments, **named):
        _note(found, path)
        return call(path, *arguments, **named)

    return told
