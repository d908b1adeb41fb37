"""The findings of a label file, however they are written -> label codes by row.

Wide: a column a finding. A list: one cell names what is there, `Effusion|Mass` or `['effusion', 'mass']`. Long: a row a
finding. Masks: run lengths where there is something, -1 where there is nothing. What we have no label for is kept
under its own name.
"""

import re
from collections.abc import Iterable
from collections.abc import Mapping as Mappable
from dataclasses import dataclass, field

import numpy as np

from cxr_core.arrays import IntArray
from cxr_core.errors import Choice, TableError, UndecidedError
from cxr_core.schema import KEY_COLUMNS, LABELS, Value
from cxr_core.sources.importing import cells
from cxr_core.sources.importing.cells import BadCells
from cxr_core.sources.importing.layouts import Layout
from cxr_core.sources.importing.mapping import Mapping
from cxr_core.sources.importing.spelling import ColumnMapping, label_of, normalised
from cxr_core.words import counted

#: Columns of numbers 0 and 1 that are no findings.
_NO_FINDINGS = re.compile(
    r"column_\d+|unnamed.*|index|id|.*_id|follow_up.*|rows|columns|width|height|age|fold|.*date|.*time|pediatric"
    r"|deceased|.*uid|class|x|y|x_min|y_min|x_max|y_max|bits.*|pixel.*|number.*|count.*"
)
#: With more findings that we lack, a text column keeps the lists instead.
_MOST_EXTRA = 30
_NOTHING_THERE = "-1"


@dataclass(frozen=True)
class Findings:
    """Codes (n,) of `labels` and of `extra` findings by name; `texts` are lists that are kept as they are."""

    labels: dict[str, IntArray] = field(default_factory=dict)
    extra: dict[str, IntArray] = field(default_factory=dict)
    texts: dict[str, list[str | None]] = field(default_factory=dict)
    used: tuple[str, ...] = ()


def read_findings(
    bad: BadCells, columns: ColumnMapping, layout_name: str, layout: Layout | None, mapping: Mapping, notes: list[str]
) -> Findings:
    """Return what each row says of each finding; a cell that means nothing is noted in `bad`.

    Raises:
        TableError: nothing in the file is a finding.
    """
    if columns.labels:
        return _wide(bad, columns, layout_name, mapping, notes)
    if "mask" in columns.roles:
        return _masks(bad, columns.roles["mask"], notes)
    if "findings" in columns.roles:
        return _lists(bad, columns.roles["findings"], layout, mapping, notes)
    if "finding" in columns.roles:
        return _long(bad, columns, layout, mapping, notes)
    raise TableError(
        f"{bad.table.name} has no column that names a label, as `Edema` does. Say which column is one with "
        f"--column edema=NAME. Received: {', '.join(bad.table.columns)[:200]}."
    )


def _wide(bad: BadCells, columns: ColumnMapping, layout_name: str, mapping: Mapping, notes: list[str]) -> Findings:
    if layout_name == "notebook":
        return Findings({label: cells.notebook_codes(bad, columns.labels[label]) for label in _ours(columns)})
    words = {word.lower(): Value[ours].value for word, ours in mapping.values.items()}
    for label, column in columns.labels.items():
        _check_masks(bad, label, column)
    labels = {label: cells.label_codes(bad, columns.labels[label], words) for label in _ours(columns)}
    extra = {}
    for name in bad.table.columns:
        if name not in columns.used() and mapping.findings.get(name, name) and _is_finding(bad, name, words):
            extra[extra_name(name)] = cells.label_codes(BadCells(bad.table), name, words)
    _tell_extra(extra, notes)
    _tell_coding(bad, [*columns.labels.values()], words, notes)
    return Findings(labels, extra, used=tuple(n for n in bad.table.columns if extra_name(n) in extra))


def _ours(columns: ColumnMapping) -> list[str]:
    return [label for label in LABELS if label in columns.labels]


def _is_finding(bad: BadCells, column: str, words: dict[str, int]) -> bool:
    """Say whether a column of no known name holds a finding: nothing but label values, and some."""
    if _NO_FINDINGS.fullmatch(normalised(column)) or not re.search("[a-z]", normalised(column)):
        return False
    texts = bad.table.columns[column]
    look = BadCells(bad.table)
    cells.label_codes(look, column, words)
    return texts.null_count < len(texts) and not look.rows.any()


def _tell_coding(bad: BadCells, columns: Iterable[str], words: dict[str, int], notes: list[str]) -> None:
    """Say how words were read; numbers are read as everybody writes them."""
    known = {**cells.VALUE_WORDS, **words}
    seen: dict[str, int] = {}
    for column in columns:
        for text in bad.table.encoded(column).dictionary.to_pylist():
            if cells.as_number(text) is None and text.lower() in known:
                seen.setdefault(text, known[text.lower()])
    if seen:
        said = ", ".join(f"{text!r} {Value(code).name.replace('_', ' ')}" for text, code in sorted(seen.items()))
        notes.append(f"Words of the labels were read as: {said}.")


def _tell_extra(extra: Iterable[str], notes: list[str]) -> None:
    names = list(extra)
    if names:
        notes.append(f"Findings that are none of the {len(LABELS)} are kept as extra columns: {', '.join(names)}.")


def extra_name(name: str) -> str:
    """Return under which name a finding of no label of ours is kept."""
    plain = normalised(name)
    return f"finding_{plain}" if plain in (*KEY_COLUMNS, *LABELS, "sex", "age", "position") else plain


def _check_masks(bad: BadCells, label: str, column: str) -> None:
    """Ask about a label column of run lengths: in it -1 says that there is nothing, not that it is uncertain."""
    texts = bad.table.encoded(column).dictionary.to_pylist()
    if any(len(text.split()) > 2 and text.replace(" ", "").isdigit() for text in texts):
        question = (
            f"{bad.table.name}: the column {column!r} holds run-length masks, in which -1 says that nothing is there."
        )
        choice = Choice(f"masks of {label}", f"--column mask={column} --column {label}=",
                        {"columns.mask": column, f"columns.{label}": ""})  # fmt: skip
        none = Choice("leave the column out", f"--column {label}=", {f"columns.{label}": ""})
        raise UndecidedError("mask", question, [choice, none])


def _masks(bad: BadCells, column: str, notes: list[str]) -> Findings:
    texts = bad.table.columns[column].to_pylist()
    shaped = [text is None or text == _NOTHING_THERE or text.replace(" ", "").isdigit() for text in texts]
    bad.add(~np.array(shaped, bool), column, "must be a run-length mask, or -1 where there is none")
    there = np.array([text is not None and text != _NOTHING_THERE for text in texts], bool)
    notes.append(f"{column} holds masks: pneumothorax is positive where there is one, negative where there is none.")
    return Findings({"pneumothorax": np.where(there, Value.positive, Value.negative).astype(np.int64)})


def _lists(bad: BadCells, column: str, layout: Layout | None, mapping: Mapping, notes: list[str]) -> Findings:
    texts = bad.table.columns[column].to_pylist()
    separator = layout.separator if layout is not None else _separator(texts)
    words = [_words(text, separator) for text in texts]
    bad.add(np.array([not found for found in words], bool), column, "must name at least one finding, or none of them")
    return _of_sets(bad, words, layout, mapping, notes, column, texts)


def _separator(texts: list[str | None]) -> str:
    counts = {mark: sum(mark in (text or "") for text in texts) for mark in "|;,"}
    return max(counts, key=lambda mark: counts[mark])


def _words(text: str | None, separator: str) -> list[str]:
    """Return the words of `a|b` or `['a', 'b']`."""
    inner = (text or "").strip()
    if inner.startswith("[") and inner.endswith("]"):
        inner, separator = inner[1:-1], ","
    found = (word.strip().strip("'\"").strip() for word in inner.split(separator))
    return [word for word in found if word]


def _of_sets(
    bad: BadCells, words: list[list[str]], layout: Layout | None, mapping: Mapping, notes: list[str],
    column: str, texts: list[str | None],
) -> Findings:  # fmt: skip
    """Return codes of rows that name what is there: what the file can name and a row does not, is absent."""
    different = sorted({word for row in words for word in row})
    meaning = {word: _meaning(word, layout, mapping) for word in different}
    absent = Value[mapping.absent or "negative"].value
    labels = {label: _named(words, meaning, label, absent) for label in LABELS if label in meaning.values()}
    if not labels:
        raise TableError(
            f"{bad.table.name}: {column} names no finding that is one of ours ({', '.join(different)[:120]})."
        )
    others = {word: extra_name(word) for word in different if meaning[word] is None and normalised(word)}
    if len(others) > _MOST_EXTRA:
        foreign = counted(len(others), "finding is", "findings are")
        notes.append(f"{foreign} none of the {len(LABELS)}: {column} is kept as a text column.")
        return Findings(labels, {}, {extra_name(column): texts}, (column,))
    extra = {name: _named(words, others, name, absent) for name in dict.fromkeys(others.values())}
    _tell_extra(extra, notes)
    said = Value(absent).name.replace("_", " ")
    notes.append(f"What {column} could name and does not is {said} (--answer absent=… says otherwise).")
    return Findings(labels, extra, {}, (column,))


def _meaning(word: str, layout: Layout | None, mapping: Mapping) -> str | None:
    """Return our label for a word, `""` where it is to be left out, None where we have none."""
    if word in mapping.findings:
        return mapping.findings[word]
    if layout is not None and normalised(word) in layout.findings:
        return layout.findings[normalised(word)]
    return label_of(word)


def _named(words: list[list[str]], meaning: Mappable[str, str | None], wanted: str, absent: int) -> IntArray:
    there = {word for word, ours in meaning.items() if ours == wanted}
    return np.array([Value.positive if there.intersection(row) else absent for row in words], np.int64)


def _long(bad: BadCells, columns: ColumnMapping, layout: Layout | None, mapping: Mapping, notes: list[str]) -> Findings:
    """Return codes of a table that has a row a finding; rows of one image are put together later, by the maximum."""
    column = columns.roles["finding"]
    texts = bad.table.columns[column].to_pylist()
    if "value" not in columns.roles:
        return _of_sets(bad, [[text] if text else [] for text in texts], layout, mapping, notes, column, texts)
    words = {word.lower(): Value[ours].value for word, ours in mapping.values.items()}
    values = cells.label_codes(bad, columns.roles["value"], words)
    found = Findings(used=(column,))
    for word in dict.fromkeys(text for text in texts if text):
        ours = _meaning(word, layout, mapping)
        if ours == "":
            continue
        kind, name = (found.labels, ours) if ours else (found.extra, extra_name(word))
        here = np.array([text == word for text in texts], bool)
        # A row says nothing of the other findings.
        kind[name] = np.where(here, values, kind.get(name, np.full(len(texts), -1)))
    if not found.labels:
        raise TableError(f"{bad.table.name}: {column} names no finding that is one of ours.")
    _tell_extra(found.extra, notes)
    return found
