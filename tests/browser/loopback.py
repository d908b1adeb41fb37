"""A network namespace in which there is nothing but loopback."""

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterator

_CLONE_NEWNET = 0x40000000
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1


@contextlib.contextmanager
def only_loopback() -> Iterator[bool]:
    """Take this thread, and what it starts, off every network but 127.0.0.1; yields False where that is not permitted."""
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        permitted = libc.unshare(_CLONE_NEWNET) == 0
        if permitted:
            _raise_loopback()
        yield permitted
        if permitted and libc.setns(before, _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "the network cannot be entered again")
    finally:
        os.close(before)


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(handle, _SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(handle, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))
