"""Which tables a warehouse answers from, and the checks on their names."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cxr_core.errors import UsageError, brief
from cxr_core.locations import is_remote
from cxr_core.schema import NAME_PATTERN
from cxr_core.storage import files_by_name

Kind = Literal["local", "bigquery"]
KINDS: tuple[Kind, ...] = ("local", "bigquery")

#: What stands for the model's name in a pattern of prediction tables.
MODEL_FIELD = "{model}"

#: A project may belong to a domain, as in `example.com:project`.
_PROJECT = re.compile(r"(?:[a-z0-9][a-z0-9.-]*\.[a-z]{2,}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
_DATASET = re.compile(r"[A-Za-z0-9_]{1,1024}")
_TABLE = re.compile(r"[A-Za-z0-9_-]{1,1024}")
#: Stands for any letters in the name of a label table; all tables that there are of such names are meant.
WILDCARD = "*"
_LOCATION = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,29}")
_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,299}")


@dataclass(frozen=True)
class TableSet:
    """The tables of one source.

    `labels` are Parquet files of a local warehouse, or `project.dataset.table` names of BigQuery, in whose last part
    `*` stands for any letters. `predictions` are patterns with `{model}`, in order of precedence; one that ends with
    `.parquet` is a local file whatever the kind.
    `readings` are such patterns too, in which the name of a set of readings stands where a model's does.
    `truth` is a Parquet file or None; `allowed` are the folders whose Parquet files may be read. `project` is billed;
    a query that would bill more than `maximum_bytes_billed` is refused (None: the setting of that name). `credentials`
    is a service account's key file, `location` the region of the data, and `write` the data set (`project.dataset`)
    into which predictions may be written; all three may be None. `groups` is where further columns of the label rows
    lie, by `path`, when there are any. `null_is` says what NULL is among the labels of BigQuery's tables, one of
    `NULL_RULES`; None where nobody said it. `source` is the source's name, for whoever is told what to do.
    """

    kind: Kind
    labels: tuple[str, ...]
    predictions: tuple[str, ...]
    truth: Path | None = None
    project: str | None = None
    maximum_bytes_billed: int | None = None
    allowed: tuple[Path, ...] = ()
    credentials: str | None = None
    location: str | None = None
    write: str | None = None
    readings: tuple[str, ...] = ()
    groups: Path | None = None
    null_is: str | None = None
    source: str = ""


def is_file(location: str) -> bool:
    """Say whether a table or pattern is a Parquet file rather than a BigQuery table."""
    return location.endswith(".parquet")


def files_by_model(pattern: str) -> dict[str, str]:
    """Return the models whose file matches a pattern such as `folder/{model}_predictions.parquet`, with its path.

    Raises:
        UsageError: `{model}` does not stand once in the pattern, in the file's name.
        StorageError: the pattern is one on gs://, which could not answer.
    """
    path = Path(pattern)
    if pattern.count(MODEL_FIELD) != 1 or path.name.count(MODEL_FIELD) != 1:
        raise UsageError(
            f"A pattern of files must have {{model}} once, in the file's name. Received: {brief(pattern)}."
        )
    if is_remote(pattern):
        return files_by_name(pattern, MODEL_FIELD, NAME_PATTERN.pattern)
    if not path.parent.is_dir():
        return {}
    before, after = (re.escape(part) for part in path.name.split(MODEL_FIELD))
    wanted = re.compile(f"{before}({NAME_PATTERN.pattern}){after}")
    found = ((wanted.fullmatch(file.name), file) for file in sorted(path.parent.iterdir()))
    return {match.group(1): str(file) for match, file in found if match}


def check_project(project: str) -> str:
    """Return a legal Google Cloud project ID, else raise `UsageError`."""
    return _checked(_PROJECT, project, "A project ID must be 6 to 30 lower-case letters, digits or '-'", project)


def check_region(location: str) -> str:
    """Return a legal BigQuery location such as `EU` or `us-central1`, else raise `UsageError`."""
    return _checked(_LOCATION, location, "A location must be a BigQuery region such as EU or us-central1", location)


def check_dataset(name: str) -> str:
    """Return a legal `project.dataset`, else raise `UsageError`."""
    rule = "A BigQuery data set must be written project.dataset, of letters, digits, '_' (and '-' in the project)"
    return _checked_parts(name, (_PROJECT, _DATASET), rule)


def check_column(name: str) -> str:
    """Return a legal column name, else raise `UsageError`; nothing else may stand in SQL as a column."""
    return _checked(_COLUMN, name, "A column name must be letters, digits and '_'", name)


def check_table(name: str) -> str:
    """Return a legal `project.dataset.table`, fit to stand in SQL between backticks, else raise `UsageError`."""
    rule = "A BigQuery table must be written project.dataset.table, of letters, digits, '_' and '-'"
    return _checked_parts(name, (_PROJECT, _DATASET, _TABLE), rule)


def check_tables(name: str) -> str:
    """Return a legal `project.dataset.table` in whose table `*` may stand for any letters, else raise `UsageError`."""
    dataset, _, table = name.rpartition(".")
    check_table(f"{dataset}.{table.replace(WILDCARD, '_')}")
    return name


def tables_like(pattern: str, names: Iterable[str]) -> list[str]:
    """Return the names, sorted, that a table's name with `*` stands for."""
    wanted = re.compile(".*".join(map(re.escape, pattern.split(WILDCARD))))
    return sorted(filter(wanted.fullmatch, names))


def check_pattern(pattern: str) -> str:
    """Return a legal pattern of BigQuery prediction tables: `{model}` once, in the table's part."""
    table = pattern.rpartition(".")[2]
    if pattern.count(MODEL_FIELD) != 1 or MODEL_FIELD not in table:
        raise UsageError(
            "Prediction tables in BigQuery must be written project.dataset.table with {model} once in the table. "
            f"Received: {brief(pattern)}."
        )
    check_table(pattern.replace(MODEL_FIELD, "model"))
    return pattern


def _checked_parts(name: str, patterns: Sequence[re.Pattern[str]], rule: str) -> str:
    parts = name.rsplit(".", len(patterns) - 1)
    if len(parts) != len(patterns):
        raise UsageError(f"{rule}. Received: {brief(name)}.")
    for pattern, part in zip(patterns, parts, strict=True):
        _checked(pattern, part, rule, name)
    return name


def _checked(pattern: re.Pattern[str], part: str, rule: str, received: str) -> str:
    if not pattern.fullmatch(part):
        raise UsageError(f"{rule}. Received: {brief(received)}.")
    return part
