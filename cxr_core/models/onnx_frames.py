"""How pictures go to the process of an ONNX model and its outputs come back: a kind, a length, and so many bytes."""

import struct
from collections.abc import Callable
from typing import IO

PICTURES, FACTS, OUTPUTS, ERROR = b"PFOE"
_HEAD = struct.Struct("<BQ")
_LARGEST = 4_000_000_000


def write_frame(stream: IO[bytes], kind: int, content: bytes) -> None:
    """Write one frame to a stream, whole."""
    left = memoryview(_HEAD.pack(kind, len(content)) + content)
    while left:
        left = left[stream.write(left) :]


def read_frame(stream: IO[bytes]) -> tuple[int, bytes] | None:
    """Return the kind and the content of the next frame; None where the stream has ended."""
    return frame_from(stream.read)


def frame_from(read: Callable[[int], bytes]) -> tuple[int, bytes] | None:
    """Return a frame from what reads exactly so many bytes, or fewer where there are no more."""
    head = read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    kind, length = _HEAD.unpack(head)
    content = read(length) if length <= _LARGEST else b""
    return (kind, content) if len(content) == length else None
