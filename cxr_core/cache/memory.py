"""How much memory a value keeps alive: its arrays' own buffers, also those that are only looked at through a view."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

_NOTHING = (type, ModuleType, FunctionType, BuiltinFunctionType)
_ATOMS = (str, bytes, bytearray, int, float, complex, type(None))


@dataclass
class Memory:
    """What a value takes: `own` bytes of Python's objects, and the bytes of each buffer by its address.

    Buffers are told apart because answers share them: a column that is a view of a table keeps the table alive.
    """

    own: int = 0
    buffers: dict[int, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All bytes together."""
        return self.own + sum(self.buffers.values())

    def add(self, address: int, size: int) -> None:
        """Note a buffer; of two that begin at one address the larger counts."""
        if size:
            self.buffers[address] = max(size, self.buffers.get(address, 0))


def memory_of(value: Any) -> Memory:
    """Return what a value takes: numbers, texts, containers, dataclasses, NumPy, pandas and Arrow."""
    found, seen, waiting = Memory(), dict[int, Any](), [value]
    while waiting:
        item = waiting.pop()
        # What was made on the way is held, or another object might get its id.
        if id(item) not in seen:
            seen[id(item)] = item
            waiting.extend(_noted(item, found))
    return found


def _noted(item: Any, found: Memory) -> Iterable[Any]:
    """Note what an object takes by itself and return what it holds besides."""
    if isinstance(item, _NOTHING):
        return ()
    if isinstance(item, np.ndarray):
        return _array(item, found)
    if isinstance(item, (pa.Array, pa.ChunkedArray, pa.Table, pa.RecordBatch)):
        return _arrow(item, found)
    if isinstance(item, (pd.DataFrame, pd.Series, pd.Index)):
        return _pandas(item, found)
    if isinstance(item, pd.api.extensions.ExtensionArray):
        return _extension(item, found)
    found.own += sys.getsizeof(item)
    return () if isinstance(item, _ATOMS) else _parts(item)


def _array(array: np.ndarray, found: Memory) -> Iterable[Any]:
    root = array
    while isinstance(root.base, np.ndarray):
        root = root.base
    found.own += sys.getsizeof(array) - (array.nbytes if array.base is None else 0)
    found.add(root.__array_interface__["data"][0], root.nbytes)
    return array.ravel().tolist() if array.dtype.hasobject else ()


def _arrow(item: Any, found: Memory) -> Iterable[Any]:
    if isinstance(item, (pa.Table, pa.RecordBatch)):
        return item.columns
    if isinstance(item, pa.ChunkedArray):
        return item.chunks
    for buffer in item.buffers():
        if buffer is not None:
            found.add(buffer.address, buffer.size)
    return (item.dictionary,) if isinstance(item, pa.DictionaryArray) else ()


def _pandas(item: Any, found: Memory) -> Iterable[Any]:
    found.own += 500
    if isinstance(item, pd.DataFrame):
        return [item.index, item.columns, *(item.iloc[:, place].array for place in range(item.shape[1]))]
    if isinstance(item, pd.Series):
        return (item.index, item.array)
    if isinstance(item, pd.MultiIndex):
        return (*item.levels, *item.codes)
    return () if isinstance(item, pd.RangeIndex) else (item.array,)


def _extension(item: Any, found: Memory) -> Iterable[Any]:
    if isinstance(item, pd.Categorical):
        return (item.codes, item.categories)
    if isinstance(item, (pd.arrays.ArrowExtensionArray, pd.arrays.ArrowStringArray)):
        return (item.__arrow_array__(),)
    if isinstance(item, pd.arrays.NumpyExtensionArray):
        return (item.to_numpy(),)
    found.own += item.nbytes
    return ()


def _parts(item: Any) -> Iterable[Any]:
    if isinstance(item, dict):
        return [*item.keys(), *item.values()]
    if isinstance(item, (list, tuple, set, frozenset)):
        return item
    if isinstance(item, MethodType):
        return (item.__self__,)
    slots = [name for kind in type(item).__mro__ for name in getattr(kind, "__slots__", ())]
    held = [getattr(item, name) for name in slots if not name.startswith("__") and hasattr(item, name)]
    return [*held, *vars(item).values()] if hasattr(item, "__dict__") else held
