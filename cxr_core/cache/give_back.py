"""Giving memory back to the system that allocators keep for what may come."""

import ctypes
import ctypes.util

import pyarrow as pa


def give_back() -> None:
    """Give back what is free: Arrow's pool, and where the system's C library can, that of NumPy's arrays."""
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(ctypes.util.find_library("c")), "malloc_trim", None)
    if trim is not None:
        trim(0)
