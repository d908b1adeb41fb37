"""A model file that HDF5 never finishes to read, as 10,000 damaged inputs found one."""

from pathlib import Path

import h5py

_SIZE = 8  # bytes of a number, and what objects of a heap are rounded up to


def write_looping_model(path: Path) -> None:
    """Write a file whose text lies in a heap with a piece of no length: HDF5 looks at this piece again and again.

    The heap (HDF5 file format 3.0, III.E): a head of 16 bytes, then objects, each with 8 bytes, its length and its
    content; the last one is what is free.
    """
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs["cxr"] = '{"architecture": "densenet-small"}'
    content = bytearray(path.read_bytes())
    length = content.index(b"GCOL") + 16 + _SIZE
    text = int.from_bytes(content[length : length + _SIZE], "little")
    free = length + _SIZE + -(-text // _SIZE) * _SIZE
    content[free + _SIZE : free + 2 * _SIZE] = bytes(_SIZE)
    path.write_bytes(content)
