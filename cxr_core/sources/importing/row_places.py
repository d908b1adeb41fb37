"""To which data set each row of a label file belongs, and which view it is: from columns, paths or what was said."""

import re
from collections.abc import Callable
from pathlib import PurePosixPath

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cxr_core.arrays import IntArray
from cxr_core.errors import Choice, UndecidedError, UsageError
from cxr_core.schema import DATASETS, dataset_code, view_code
from cxr_core.sources.importing import cells
from cxr_core.sources.importing.cells import BadCells
from cxr_core.sources.importing.choices import ImportChoices
from cxr_core.sources.importing.layouts import Layout
from cxr_core.sources.importing.row_keys import RowKeys
from cxr_core.sources.importing.spelling import ColumnMapping, normalised

_WORD = r"(?P<word>train|training|valid|validate|validation|val|test)"
_BESIDE_PATIENT = rf"(?i)(?:^|[/\\]){_WORD}[/\\]p(?:atient)?\d+[/\\]"
_IN_PATH = re.compile(rf"(?i)(?:^|[/\\_.-]){_WORD}(?=[/\\_.-]|$)")
_VIEW_IN_PATH = r"(?i)_(?P<word>frontal|lateral)(?:[_.]|$)"
_MOST_UNKNOWN = 6


def views(
    bad: BadCells,
    mapping: ColumnMapping,
    keys: RowKeys,
    layout: Layout | None,
    choices: ImportChoices,
    notes: list[str],
) -> IntArray:
    """Return the view of each row (n,), -1 for a study row of which none is told.

    Raises:
        UndecidedError: a column of projections has words that nobody explained.
    """
    codes = np.full(bad.table.rows, -1, np.int64)
    if "view" in mapping.roles:
        column = mapping.roles["view"]
        _ask_about_views(bad, column, choices.mapping.views, notes)
        codes = cells.view_codes(bad, column, choices.mapping.views)
    codes = _with_rest(codes, keys.paths, _VIEW_IN_PATH, view_code)
    fallback = choices.view or (layout.view if layout is not None else None)
    if fallback is None and "view" in mapping.roles and layout is not None and layout.name == "mimic-cxr-jpg":
        # A blank ViewPosition is a projection that nobody noted: `other`, as in the notebook's tables.
        fallback = "other"
    if fallback is not None:
        codes = np.where(codes == -1, view_code(fallback), codes)
    if not keys.is_study:
        bad.add(codes == -1, keys.column, "has no view beside it", "say which with --view")
    return codes


def _ask_about_views(bad: BadCells, column: str, words: dict[str, str], notes: list[str]) -> None:
    """Ask about unknown words of a column of projections; a stray word in another column is a bad cell."""
    if not is_view_position(column):
        return
    look = BadCells(bad.table)
    codes = cells.view_codes(look, column, words)
    unknown = list(dict.fromkeys(bad.table.columns[column].filter(pa.array(codes == cells.WRONG)).to_pylist()))
    others = {text for text in bad.table.encoded(column).dictionary.to_pylist() if text.lower() in cells.OTHER_VIEWS}
    if others and not unknown:
        notes.append(f"{column}: {', '.join(sorted(others))} count as other, neither frontal nor lateral.")
    if unknown:
        first, row = unknown[0], int(np.argmax(codes == cells.WRONG))
        choices = [
            Choice(f"they are {view}", " ".join(f"--answer views.{w}={view}" for w in unknown[:_MOST_UNKNOWN]),
                   {f"views.{w}": view for w in unknown})
            for view in ("frontal", "lateral", "other")
        ]  # fmt: skip
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        question = f"{bad.table.place(row)}: {column} has a projection that is not known, {first!r}{more}."
        raise UndecidedError("views", question, choices)


def is_view_position(column: str) -> bool:
    """Say whether a column is DICOM's ViewPosition, which knows many projections."""
    return normalised(column) in ("viewposition", "view_position", "projection")


def datasets(
    bad: BadCells, mapping: ColumnMapping, keys: RowKeys, choices: ImportChoices, layout: str, notes: list[str]
) -> IntArray:
    """Return the data set of each row (n,).

    Raises:
        UndecidedError: the file numbers its data sets, or the path of a row names two.
        UsageError: nothing tells the data set of a row.
    """
    if choices.dataset is not None:
        return np.full(bad.table.rows, dataset_code(choices.dataset), np.int64)
    if "dataset" in mapping.roles:
        column = mapping.roles["dataset"]
        if layout != "notebook":
            _ask_about_numbers(bad, column, choices.mapping.datasets)
        return cells.dataset_codes(bad, column, choices.mapping.datasets)
    codes = _in_paths(keys.paths, _BESIDE_PATIENT, dataset_of_word)
    rest = np.flatnonzero(codes == -1)
    codes[rest] = _by_folders(bad, keys.paths.take(pa.array(rest)).to_pylist(), rest)
    in_name = [dataset_of_word(match["word"]) for match in _IN_PATH.finditer(bad.table.name)]
    codes = np.where(codes == -1, in_name[0] if len(set(in_name)) == 1 else -1, codes)
    if (codes == -1).any():
        raise UsageError(
            f"Nothing in {bad.table.name} says to which data set its rows belong. Say it with --dataset, one of "
            f"{', '.join(DATASETS)}, or name a column that tells it with --column dataset=NAME."
        )
    return codes


def dataset_of_word(word: str) -> int:
    """Return the data set that a word such as `validate` names."""
    plain = word.lower()
    return dataset_code(cells.DATASET_WORDS.get(plain, plain))


def dataset_of_list(name: str) -> str:
    """Return the data set of the images that a file such as `test_list.txt` lists; of `train_val` it is train."""
    found = {dataset_of_word(match["word"]) for match in _IN_PATH.finditer(name)}
    if not found:
        raise UsageError(f"{name} must be called after a data set, as in test_list.txt.")
    return DATASETS[min(found)]


def _ask_about_numbers(bad: BadCells, column: str, words: dict[str, str]) -> None:
    """Ask what numbers in a column of data sets mean: they may be codes of ours, or folds."""
    told = {word.lower() for word in words}
    texts = [text for text in pc.unique(bad.table.columns[column]).to_pylist() if text and text.lower() not in told]
    numbers = sorted({text for text in texts if cells.as_number(text) is not None}, key=float)
    if not numbers:
        return
    named = dict(zip(numbers, ["train", "valid", "test"], strict=False))
    held_out = {number: "valid" if number == numbers[0] else "train" for number in numbers}
    choices = [Choice("folds, all of one data set", "--column dataset= --dataset train",
                      {"columns.dataset": "", "dataset": "train"})]  # fmt: skip
    for words_of, meaning in (("codes", named), (f"folds, the {numbers[0]} held out", held_out)):
        if len(meaning) == len(numbers):
            option = " ".join(f"--answer datasets.{number}={name}" for number, name in meaning.items())
            choices.append(Choice(words_of, option, {f"datasets.{n}": name for n, name in meaning.items()}))
    question = f"{bad.table.name}: the column {column!r} numbers the data sets ({', '.join(numbers[:8])})."
    raise UndecidedError("datasets", question, choices)


def _by_folders(bad: BadCells, paths: list[str], rows: IntArray) -> IntArray:
    """Return the data set that the folders of each path name, -1 where none does; two different ones are a question."""
    known: dict[str, int] = {}
    codes = np.full(len(paths), -1, np.int64)
    for place, path in enumerate(paths):
        folder = str(PurePosixPath(path.replace("\\", "/")).parent) if "/" in path or "\\" in path else path
        if folder not in known:
            # The name of the file itself speaks only where no folder does.
            own = path if not _IN_PATH.search(folder) else folder
            found = {dataset_of_word(match["word"]) for match in _IN_PATH.finditer(own)}
            if len(found) > 1:
                raise _two_folders(bad, int(rows[place]), path, sorted(found))
            if own is not folder:
                codes[place] = next(iter(found), -1)
                continue
            known[folder] = next(iter(found), -1)
        codes[place] = known[folder]
    return codes


def _two_folders(bad: BadCells, row: int, path: str, found: list[int]) -> UndecidedError:
    choices = [Choice("all rows", f"--dataset {DATASETS[code]}", {"dataset": DATASETS[code]}) for code in found]
    question = f"{bad.table.place(row)}: the path names two data sets, {' and '.join(DATASETS[c] for c in found)}: "
    return UndecidedError("dataset of path", f"{question}{path[:120]!r}.", choices)


def _with_rest(codes: IntArray, paths: pa.Array, pattern: str, code: Callable[[str], int]) -> IntArray:
    """Return codes (n,) with those that are -1 taken from the paths, where these tell any."""
    rest = np.flatnonzero(codes == -1)
    if rest.size:
        codes[rest] = _in_paths(paths.take(pa.array(rest)), pattern, code)
    return codes


def _in_paths(paths: pa.Array, pattern: str, code: Callable[[str], int]) -> IntArray:
    """Return the code of the word that a pattern finds in each path, -1 where it finds none."""
    words = pc.struct_field(pc.extract_regex(paths, pattern), "word").dictionary_encode()
    return cells.looked_up(words, lambda word: code(word.lower()), -1)
