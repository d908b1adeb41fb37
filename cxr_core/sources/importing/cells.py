"""What stands in a cell -> the value that it means, with every cell that means nothing kept by its place."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cxr_core.errors import TableError
from cxr_core.schema import DATASETS, VALUES, VIEWS, Value
from cxr_core.sources.importing.spelling import normalised
from cxr_core.sources.importing.text_table import TextTable

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_WRONG = -2
#: A key must be there; these are how programs spell that it is not.
_MISSING_WORDS = {"", "nan", "null", "none", "na", "n/a", "<na>"}

_CHEXPERT: dict[float, int] = {0.0: Value.negative, -1.0: Value.uncertain, 1.0: Value.positive}
_DATASET_WORDS = {"validate": "valid", "validation": "valid", "val": "valid", "dev": "valid", "training": "train"}
_VIEW_WORDS = {"ap": "frontal", "pa": "frontal", "ll": "lateral", "rl": "lateral", "lat": "lateral", "front": "frontal"}
_SEX_WORDS = {"f": "F", "female": "F", "m": "M", "male": "M"}
_SEX_UNKNOWN = {"unknown", "u", "o", "other"}


@dataclass
class BadCells:
    """The cells of a file that mean nothing: `rows` (n,) marks their rows, `first` is the sentence about the first."""

    table: TextTable
    rows: Mask = field(init=False)
    _first: tuple[int, str] | None = None

    def __post_init__(self) -> None:
        self.rows = np.zeros(self.table.rows, dtype=bool)

    def add(self, wrong: Mask, column: str, rule: str) -> None:
        """Note the rows in which a column breaks a rule."""
        if not wrong.any():
            return
        row = int(np.argmax(wrong))
        self.rows |= wrong
        if self._first is None or row < self._first[0]:
            received = self.table.cell(column, row)[:80]
            self._first = (row, f"{self.table.place(row)}: {column} {rule}. Received: {received!r}.")

    def refuse(self, skip: bool) -> None:
        """Raise `TableError` about the first bad cell, unless bad rows are to be skipped."""
        if self._first is not None and not skip:
            raise TableError(f"{self._first[1]} Correct the file, or leave such rows out with --skip-bad-rows.")


def chexpert_codes(bad: BadCells, column: str) -> Integers:
    """Return label codes (n,): blank is not mentioned, 0 negative, -1 uncertain, 1 positive."""
    codes = _looked_up(bad.table.columns[column], _chexpert_code, Value.not_mentioned)
    bad.add(codes == _WRONG, column, "must be blank, 0, -1 or 1")
    return codes


def notebook_codes(bad: BadCells, column: str) -> Integers:
    """Return label codes (n,) of a column that holds them: 0 not mentioned, 1 negative, 2 uncertain, 3 positive."""
    codes = _looked_up(bad.table.columns[column], lambda text: _code_or_name(text, VALUES), _WRONG)
    bad.add(codes == _WRONG, column, "must be 0, 1, 2 or 3")
    return codes


def dataset_codes(bad: BadCells, column: str) -> Integers:
    """Return data set codes (n,) of a column that names them."""
    codes = _looked_up(bad.table.columns[column], lambda text: _code_or_name(text, DATASETS, _DATASET_WORDS), _WRONG)
    bad.add(codes == _WRONG, column, f"must be one of {', '.join(DATASETS)}")
    return codes


def view_codes(bad: BadCells, column: str) -> Integers:
    """Return view codes (n,): AP and PA are frontal, LL and RL lateral; -1 if blank.

    Where the column is DICOM's ViewPosition, any other projection is other; elsewhere it is a bad cell.
    """
    strict = not is_view_position(column)
    codes = _looked_up(bad.table.columns[column], lambda text: _view_code(text, strict), -1)
    bad.add(codes == _WRONG, column, f"must be one of {', '.join(VIEWS)}")
    return codes


def is_view_position(column: str) -> bool:
    """Say whether a column is DICOM's ViewPosition, which knows many projections."""
    return normalised(column) in ("viewposition", "view_position", "projection")


def whole_numbers(bad: BadCells, column: str) -> Integers:
    """Return a column of whole numbers from 1 (n,)."""
    numbers = _looked_up(bad.table.columns[column], _natural, _WRONG)
    bad.add(numbers == _WRONG, column, "must be a whole number above 0")
    return numbers


def numbers(bad: BadCells, column: str) -> npt.NDArray[np.float64]:
    """Return a column of finite numbers (n,) as float64."""
    texts = bad.table.columns[column]
    try:
        found = texts.cast(pa.float64())
    except pa.ArrowInvalid:
        found = pa.array([_float(text) for text in texts.to_pylist()], pa.float64())
    values = found.to_numpy(zero_copy_only=False)
    bad.add(~np.isfinite(values), column, "must be a finite number")
    return values


def ages(bad: BadCells, column: str) -> npt.NDArray[np.float64]:
    """Return ages in years (n,), NaN where blank; DICOM's `045Y` is understood."""
    texts = bad.table.columns[column].to_pylist()
    known = {text: _age(text) for text in set(texts)}
    values = np.array([known[text] for text in texts], np.float64)
    bad.add(np.isinf(values), column, "must be an age in years from 0 to 150, or blank")
    return values


def sexes(bad: BadCells, column: str) -> list[str | None]:
    """Return F, M or None (n,)."""
    texts = [text.lower() if text else "" for text in bad.table.columns[column].to_pylist()]
    known = {"", *_SEX_UNKNOWN, *_SEX_WORDS}
    bad.add(np.array([text not in known for text in texts], bool), column, "must be F, M, female, male or blank")
    return [_SEX_WORDS.get(text) for text in texts]


def key_texts(bad: BadCells, column: str) -> list[str]:
    """Return a column of identifiers (n,), each of which must be there."""
    texts = [text or "" for text in bad.table.columns[column].to_pylist()]
    bad.add(np.array([_no_key(text) for text in texts], bool), column, "must have a value of at most 1,000 characters")
    return texts


def _no_key(text: str) -> bool:
    return text.lower() in _MISSING_WORDS or len(text) > 1000 or not text.isprintable()


def _looked_up(column: pa.Array, meaning: Callable[[str], int], blank: int) -> Integers:
    """Return the meaning of each text of a column; each different text is looked at once."""
    encoded = column.dictionary_encode()
    table = np.array([*(meaning(text) for text in encoded.dictionary.to_pylist()), blank], np.int64)
    return table[encoded.indices.fill_null(len(table) - 1).to_numpy(zero_copy_only=False)]


def _chexpert_code(text: str) -> int:
    number = _float(text)
    return _WRONG if number is None else _CHEXPERT.get(number, _WRONG)


def _code_or_name(text: str, names: tuple[str, ...], words: dict[str, str] | None = None) -> int:
    plain = (words or {}).get(text.lower(), text.lower())
    if plain in names:
        return names.index(plain)
    number = _float(text)
    return int(number) if number is not None and number in range(len(names)) else _WRONG


def _view_code(text: str, strict: bool) -> int:
    found = _code_or_name(text, VIEWS, _VIEW_WORDS)
    return found if found != _WRONG or strict else VIEWS.index("other")


def _natural(text: str) -> int:
    number = _float(text)
    return int(number) if number is not None and 1 <= number < 2**53 and number == int(number) else _WRONG


def _age(text: str | None) -> float:
    if not text:
        return np.nan
    number = _float(text[:-1] if text[-1] in "Yy" else text)
    return number if number is not None and 0 <= number <= 150 else np.inf


def _float(text: str | None) -> float | None:
    """Return the finite number that a text spells plainly, else None (`1_0` and `nan` are none)."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if np.isfinite(number) and "_" not in (text or "") else None
