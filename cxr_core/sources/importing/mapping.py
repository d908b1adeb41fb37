"""What a user says of a file beyond what it shows: a mapping, which is TOML, can be shared, and is kept with a source.

layout  = "auto"                 # or one of the layouts that are built in
dataset = "train"                # of all rows
view    = "frontal"              # where the file says none
rows    = "majority"             # several rows of an image: max, majority, readings (each kept) or reader=NAME
absent  = "negative"             # what a finding is that a list could name and does not, or not_mentioned
unit    = "percent"              # predictions from 0 to 100 are divided by 100
keep    = ["Manufacturer"]       # further columns to keep
[file]                           # how it is written: encoding, delimiter, decimal, member, sheet
[columns]                        # ours = "theirs"; "" where the file has none
[values] [views] [datasets]      # theirs = "ours", cell by cell
[findings]                       # theirs = "ours", a column or a word of a list; "" leaves it out
"""

import json
import tomllib
from collections.abc import Iterable
from collections.abc import Mapping as Mappable
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from cxr_core.errors import UnknownNameError, UsageError, brief
from cxr_core.schema import DATASETS, LABELS, VALUES, VIEWS
from cxr_core.sources.importing.dialect import FileForm
from cxr_core.sources.importing.spelling import ROLES

ROW_RULES = ("max", "majority", "readings")
_TABLES: dict[str, tuple[str, ...] | None] = {"columns": None, "values": VALUES, "views": VIEWS, "datasets": DATASETS}
_READER = "reader="


@dataclass(frozen=True)
class Mapping:
    """See above; what is None or empty is guessed, or asked when it cannot be."""

    layout: str | None = None
    dataset: str | None = None
    view: str | None = None
    rows: str | None = None
    absent: str | None = None
    unit: str | None = None
    keep: tuple[str, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    views: dict[str, str] = field(default_factory=dict)
    datasets: dict[str, str] = field(default_factory=dict)
    findings: dict[str, str] = field(default_factory=dict)
    file: FileForm = field(default_factory=FileForm)

    @property
    def reader(self) -> str | None:
        """The one reader whose rows count, None where all do."""
        return self.rows.removeprefix(_READER) if self.rows and self.rows.startswith(_READER) else None

    @property
    def reader_rule(self) -> str | None:
        """The rule that one reader's rows count, None where another rule or none was said."""
        return self.rows if self.reader else None

    def checked(self) -> "Mapping":
        """Return this mapping when every name of ours in it exists, else raise `UsageError`."""
        for name in ("values", "views", "datasets"):
            for word in getattr(self, name).values():
                known = _TABLES[name] or ()
                if word not in known:
                    raise UnknownNameError(name.removesuffix("s"), word, known)
        for ours in self.columns:
            if ours not in ROLES and ours not in LABELS:
                raise UsageError(f"A column can be mapped to {', '.join(ROLES)} or a label. Received: {ours!r}.")
        if self.rows is not None and self.rows not in ROW_RULES and not self.reader:
            raise UsageError(f"rows must be max, majority, readings or reader=NAME. Received: {brief(self.rows)}.")
        if self.absent is not None and self.absent not in ("negative", "not_mentioned"):
            raise UsageError(f"absent must be negative or not_mentioned. Received: {brief(self.absent)}.")
        if self.unit not in (None, "percent"):
            raise UsageError(f"unit must be percent, or left out. Received: {brief(self.unit)}.")
        return self

    def answered(self, answers: Mappable[str, str]) -> "Mapping":
        """Return this mapping with dotted keys set, as in `{"columns.path": "Path", "rows": "majority"}`."""
        document = self.as_dict()
        for key, value in answers.items():
            table, dot, name = key.partition(".")
            if dot:
                document[table] = document.get(table, {}) | {name: value}
            else:
                document[table] = [*document.get(table, []), value] if table == "keep" else value
        return from_dict(document, "--answer")

    def with_columns(self, columns: Mappable[str, str] | None) -> "Mapping":
        """Return this mapping with more columns mapped, ours -> theirs (`""`: none)."""
        return replace(self, columns=self.columns | dict(columns or {}))

    def with_words(self, table: str, words: Mappable[str, str]) -> "Mapping":
        """Return this mapping with the words of `values`, `views` or `datasets` replaced, theirs -> ours."""
        return from_dict(self.as_dict() | {table: dict(words)}, table)

    def as_dict(self) -> dict[str, Any]:
        """Return what is said, as in TOML."""
        document = {name: value for name, value in asdict(self).items() if value not in (None, {}, ())}
        document["file"] = {name: value for name, value in asdict(self.file).items() if value is not None}
        if self.keep:
            document["keep"] = list(self.keep)
        return {name: value for name, value in document.items() if value != {}}

    def as_toml(self) -> str:
        """Return this mapping as a file to share."""
        document = self.as_dict()
        plain = [f"{name} = {_quoted(value)}" for name, value in document.items() if not isinstance(value, dict)]
        for name, table in document.items():
            if isinstance(table, dict):
                plain += ["", f"[{name}]", *(f"{_quoted(key)} = {_quoted(value)}" for key, value in table.items())]
        return "\n".join(plain).lstrip("\n") + "\n"


#: A user who says nothing.
NOTHING_SAID = Mapping()


def read_mapping(path: Path) -> Mapping:
    """Read a mapping; raises `UsageError` that names the file and what is wrong in it."""
    try:
        return parse_mapping(path.read_bytes(), str(path))
    except OSError as error:
        raise UsageError(f"The mapping {path} cannot be read: {error.strerror}.") from error


def parse_mapping(content: bytes, name: str) -> Mapping:
    """Return the mapping that a file of that name holds; raises `UsageError` that names it and what is wrong in it."""
    try:
        return from_dict(tomllib.loads(content.decode("utf-8")), name)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"The mapping {name} is no valid TOML: {error}. Correct the file.") from error


def from_dict(document: Mappable[str, Any], where: str) -> Mapping:
    """Return the mapping that `as_dict` gave, checked; `where` names it in errors."""
    known = {one.name for one in fields(Mapping)}
    if unknown := set(document) - known:
        raise UsageError(f"{where}: unknown key {min(unknown)!r}. Use: {', '.join(sorted(known))}.")
    values = {name: _value(name, value, where) for name, value in document.items()}
    return Mapping(**values).checked()


def _value(name: str, value: Any, where: str) -> Any:
    if name == "keep":
        return tuple(_texts(value, name, where))
    if name == "file":
        told = _table(value, name, where)
        if unknown := set(told) - {one.name for one in fields(FileForm)}:
            raise UsageError(f"{where}: unknown key file.{min(unknown)}.")
        return FileForm(**told)
    if name in ("columns", "values", "views", "datasets", "findings"):
        return _table(value, name, where)
    if not isinstance(value, str):
        raise UsageError(f"{where}: {name} must be a text. Received: {value!r:.60}.")
    return value


def _table(value: Any, name: str, where: str) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise UsageError(f"{where}: {name} must be a table of texts. Received: {value!r:.60}.")
    return {str(key): text for key, text in value.items()}


def _texts(value: Any, name: str, where: str) -> Iterable[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(text, str) for text in value):
        raise UsageError(f"{where}: {name} must be a list of texts. Received: {value!r:.60}.")
    return value


def _quoted(value: Any) -> str:
    # A JSON text or list of texts is one of TOML, too.
    return json.dumps(value, ensure_ascii=False)
