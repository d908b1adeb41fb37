"""What stands in a cell -> the value that it means, with every cell that means nothing kept by its place."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cxr_core.arrays import BoolArray, FloatArray, IntArray
from cxr_core.errors import TableError
from cxr_core.schema import DATASETS, VALUES, VIEWS, Value
from cxr_core.sources.importing.text_columns import has_letters_only
from cxr_core.sources.importing.text_table import TextTable

Rows = TypeVar("Rows", pd.DataFrame, pd.Series)
WRONG = -2
#: A key must be there; these are how programs spell that it is not.
MISSING_WORDS = {"", "nan", "null", "none", "na", "n/a", "<na>"}

#: What label cells say in numbers and in words. A blank one is not mentioned.
VALUE_WORDS: dict[str, Value] = {
    **dict.fromkeys(("0", "no", "n", "false", "f", "absent", "negative", "neg"), Value.negative),
    **dict.fromkeys(("-1", "uncertain", "unsure", "possible", "equivocal", "maybe"), Value.uncertain),
    **dict.fromkeys(("1", "yes", "y", "true", "t", "present", "positive", "pos"), Value.positive),
    **dict.fromkeys(("nan", "null", "<na>", "n/a", "na", "not_mentioned", "not mentioned"), Value.not_mentioned),
}
DATASET_WORDS = {"validate": "valid", "validation": "valid", "val": "valid", "dev": "valid", "training": "train"}
VIEW_WORDS = {
    **dict.fromkeys(("ap", "pa", "front", "ap_horizontal", "pa_horizontal"), "frontal"),
    **dict.fromkeys(("l", "ll", "rl", "lat", "left lateral", "right lateral"), "lateral"),
}
#: Projections of DICOM and of MIMIC-CXR, PadChest and BRAX that are neither a plain frontal nor a plain lateral view.
OTHER_VIEWS = {
    "swimmers", "xtable lateral", "lao", "rao", "lpo", "rpo", "ap axial", "ap lld", "ap rld", "pa lld", "pa rld",
    "pa axial", "oblique", "costal", "exclude", "unk",
}  # fmt: skip
_SEX_WORDS = {"f": "F", "female": "F", "m": "M", "male": "M"}
_SEX_UNKNOWN = {"unknown", "u", "o", "other"}
_AGE_UNKNOWN = {"unknown", "unk", "not stated", "anonymized", "anonymised"}
_NOT_READ = "leave the column out with --column {}="
#: An age that is stated as a bound, as data sets do for the oldest: "85 or more", ">89", "90+".
_AGE_BOUND = re.compile(r"(?i)(?:>=?|≥|over|above)?\s*(\d{1,3})\s*(?:y|years)?\s*(?:\+|or (?:more|older|above|over))?")
_DICOM_AGE = re.compile(r"(\d{1,3})([YMWD])", re.IGNORECASE)
_PER_YEAR = {"Y": 1.0, "M": 12.0, "W": 52.18, "D": 365.25}
#: Rows may be left out with a bad cell; that is no advice where it would leave out this share of a file or more.
_FEW = 0.15


@dataclass
class BadCells:
    """The cells of a file that mean nothing: `rows` (n,) marks their rows, `first` is the sentence about the first."""

    table: TextTable
    rows: BoolArray = field(init=False)
    _first: tuple[int, str, str] | None = None

    def __post_init__(self) -> None:
        self.rows = np.zeros(self.table.rows, dtype=bool)

    def add(self, wrong: BoolArray, column: str, rule: str, way_out: str = "") -> None:
        """Note the rows in which a column breaks a rule; `way_out` is what may be done but to correct the file."""
        if not wrong.any():
            return
        row = int(np.argmax(wrong))
        self.rows |= wrong
        if self._first is None or row < self._first[0]:
            received = self.table.cell(column, row)[:80]
            sentence = f"{self.table.place(row)}: {column} {rule}. Received: {received!r}."
            self._first = (row, sentence, way_out.format(received))

    def without(self, rows: Rows) -> Rows:
        """Return rows or values (n,) of the file without those in which a cell means nothing, numbered anew."""
        return rows[~self.rows].reset_index(drop=True) if self.rows.any() else rows

    def refuse(self, skip: bool) -> None:
        """Raise `TableError` about the first bad cell, unless bad rows are to be skipped."""
        if self._first is None or skip:
            return
        _, sentence, way_out = self._first
        ways = ["Correct the file", *([way_out] if way_out else [])]
        if self.rows.sum() <= max(1, _FEW * self.table.rows):
            ways.append("leave such rows out with --skip-bad-rows")
        raise TableError(f"{sentence} {', or '.join(ways)}.")


def label_codes(bad: BadCells, column: str, words: dict[str, int]) -> IntArray:
    """Return label codes (n,) of a column of cells as in `VALUE_WORDS`; `words` (lower case) say what others mean."""
    known = VALUE_WORDS | words
    texts = bad.table.encoded(column) if bad.table.decimal == "." else pointed(bad.table, column).dictionary_encode()
    codes = looked_up(texts, lambda text: _value_code(text, known), known.get("", 0))
    rule = "must be blank, 0, -1 or 1" + (" (or a word such as positive)" if words else "")
    wrong = codes == WRONG
    bad.add(wrong, column, rule, _way_out(bad.table, column, wrong) if wrong.any() else "")
    return codes


def _way_out(table: TextTable, column: str, wrong: BoolArray) -> str:
    """Return what may be done about a label cell: a word may be somebody's own, many shares are predictions."""
    cell = table.cell(column, int(np.argmax(wrong)))
    number = as_number(cell.replace(",", ".") if table.decimal == "," else cell)
    if number is None:
        return "say what it means with --answer values.{}=positive (or negative, uncertain, not_mentioned)"
    is_share = number != int(number) and wrong.mean() > _FEW
    return "bring in a model's numbers with `import predictions`" if is_share else ""


def notebook_codes(bad: BadCells, column: str) -> IntArray:
    """Return label codes (n,) of a column that holds them: 0 not mentioned, 1 negative, 2 uncertain, 3 positive."""
    codes = looked_up(bad.table.encoded(column), lambda text: _code_or_name(text, VALUES), WRONG)
    bad.add(codes == WRONG, column, "must be 0, 1, 2 or 3")
    return codes


def dataset_codes(bad: BadCells, column: str, words: dict[str, str]) -> IntArray:
    """Return data set codes (n,) of a column that names them; `words` say what other names mean."""
    known = DATASET_WORDS | {word.lower(): ours for word, ours in words.items()}
    codes = looked_up(bad.table.encoded(column), lambda text: _code_or_name(text, DATASETS, known), WRONG)
    way_out = "say what it means with --answer datasets.{}=train (or valid, test)"
    bad.add(codes == WRONG, column, f"must be one of {', '.join(DATASETS)}", way_out)
    return codes


def view_codes(bad: BadCells, column: str, words: dict[str, str]) -> IntArray:
    """Return view codes (n,): AP and PA are frontal, L, LL and RL lateral, -1 blank; `words` say what others mean."""
    known = VIEW_WORDS | dict.fromkeys(OTHER_VIEWS, "other") | {word.lower(): ours for word, ours in words.items()}
    codes = looked_up(bad.table.encoded(column), lambda text: _code_or_name(text, VIEWS, known), -1)
    way_out = "say what it means with --answer views.{}=frontal (or lateral, other)"
    bad.add(codes == WRONG, column, f"must be one of {', '.join(VIEWS)}, or a projection such as PA or L", way_out)
    return codes


def whole_numbers(bad: BadCells, column: str) -> IntArray:
    """Return a column of whole numbers from 1 (n,)."""
    numbers = looked_up(bad.table.encoded(column), _natural, WRONG)
    bad.add(numbers == WRONG, column, "must be a whole number above 0")
    return numbers


def numbers(bad: BadCells, column: str) -> FloatArray:
    """Return a column of finite numbers (n,) as float64."""
    texts = bad.table.as_read(column) if bad.table.decimal == "." else pa.chunked_array([pointed(bad.table, column)])
    try:
        values: FloatArray = texts.cast(pa.float64()).to_numpy()
    except pa.ArrowInvalid:
        plain = pointed(bad.table, column).to_pylist()
        values = np.array([as_number(text) for text in plain], np.float64)
    bad.add(~np.isfinite(values), column, "must be a finite number")
    return values


def ages(bad: BadCells, column: str) -> tuple[FloatArray, list[str | None] | None]:
    """Return ages in years (n,), NaN where blank, and the texts as stated where some are bounds, else None.

    DICOM's `045Y` and `006M` are understood; of "85 or more" the bound counts as the age.
    """
    texts = pointed(bad.table, column)
    encoded = texts.dictionary_encode()
    known = [_age(text) for text in encoded.dictionary.to_pylist()]
    years = np.array([*(years for years, _ in known), np.nan], np.float64)
    values = years[_places(encoded)]
    bad.add(np.isinf(values), column, "must be an age in years from 0 to 150, or blank", _NOT_READ.format("age"))
    return values, texts.to_pylist() if any(is_bound for _, is_bound in known) else None


def sexes(bad: BadCells, column: str) -> pa.Array:
    """Return F, M or NULL (n,)."""
    names = pa.array(["F", "M", None], pa.string())
    known = {word: names.index(sex).as_py() for word, sex in _SEX_WORDS.items()} | dict.fromkeys(_SEX_UNKNOWN, 2)
    codes = looked_up(bad.table.encoded(column), lambda text: known.get(text.lower(), WRONG), 2)
    bad.add(codes == WRONG, column, "must be F, M, female, male or blank", _NOT_READ.format("sex"))
    return names.take(pa.array(np.where(codes == WRONG, 2, codes)))


def key_texts(bad: BadCells, column: str) -> pa.Array:
    """Return a column of identifiers (n,), each of which must be there."""
    texts = bad.table.columns[column].fill_null("")
    wrong = pc.greater(pc.utf8_length(texts), 1000)
    if not has_letters_only(texts):
        wrong = pc.or_(wrong, pc.invert(pc.utf8_is_printable(texts)))
    if pc.any(pc.less_equal(pc.binary_length(texts), max(map(len, MISSING_WORDS)))).as_py():
        wrong = pc.or_(wrong, pc.is_in(pc.utf8_lower(texts), pa.array(sorted(MISSING_WORDS), pa.string())))
    bad.add(wrong.to_numpy(zero_copy_only=False), column, "must have a value of at most 1,000 characters")
    return texts


def pointed(table: TextTable, column: str) -> pa.Array:
    """Return a column with decimal points, whatever mark its file has."""
    texts = table.columns[column]
    return pc.replace_substring(texts, ",", ".") if table.decimal == "," else texts


def looked_up(encoded: pa.DictionaryArray, meaning: Callable[[str], int], blank: int) -> IntArray:
    """Return the meaning of each text of a column; each different text is looked at once."""
    table = np.array([*(meaning(text) for text in encoded.dictionary.to_pylist()), blank], np.int64)
    return table[_places(encoded)]


def _places(encoded: pa.DictionaryArray) -> IntArray:
    """Return for each row (n,) which of the different texts it has; one more than the last where it is blank."""
    places: IntArray = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False)
    return places


def _value_code(text: str, known: dict[str, int]) -> int:
    plain = text.lower()
    if plain in known:
        return int(known[plain])
    number = as_number(text)
    return WRONG if number is None or number != int(number) else int(known.get(str(int(number)), WRONG))


def _code_or_name(text: str, names: tuple[str, ...], words: dict[str, str] | None = None) -> int:
    plain = (words or {}).get(text.lower(), text.lower())
    if plain in names:
        return names.index(plain)
    number = as_number(text)
    return int(number) if number is not None and number in range(len(names)) else WRONG


def _natural(text: str) -> int:
    number = as_number(text)
    return int(number) if number is not None and 1 <= number < 2**53 and number == int(number) else WRONG


def _age(text: str | None) -> tuple[float, bool]:
    """Return the years of an age, infinite when it is none, and whether it is only a bound."""
    if not text or text.lower() in MISSING_WORDS | _AGE_UNKNOWN:
        return np.nan, False
    if match := _DICOM_AGE.fullmatch(text):
        return int(match[1]) / _PER_YEAR[match[2].upper()], False
    number = as_number(text)
    if number is not None:
        return (number if 0 <= number <= 150 else np.inf), False
    bound = _AGE_BOUND.fullmatch(text.strip())
    return (float(bound[1]), True) if bound and int(bound[1]) <= 150 else (np.inf, False)


def as_number(text: str | None) -> float | None:
    """Return the finite number that a text spells plainly, else None (`1_0` and `nan` are none)."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if np.isfinite(number) and "_" not in (text or "") else None
