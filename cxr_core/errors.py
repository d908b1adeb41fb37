"""The one exception tree.

    CxrError                    every error that the product raises on purpose
    ├── UsageError              what the user asked for cannot be (exit status 2 on the command line)
    │   ├── UnknownNameError    a source, label, view, model or run that does not exist
    │   ├── SettingsError       cxr.toml or a CXR_… variable is wrong
    │   ├── UndecidedError      a file can be read in two ways, and only its user knows which is meant
    │   └── ExistsError         something that exists would be overwritten without --replace
    ├── DataError               data that was read is not what it must be
    │   ├── RecordError         a TFRecord file is damaged or lacks a field
    │   ├── TableError          a table is damaged or lacks a column
    │   └── ModelFileError      a model file is damaged or holds another network
    ├── WarehouseError          a warehouse could not answer (network, permission, timeout)
    │   ├── AccessError         one table or data set may not be read; the others may
    │   └── CostlyError         a question would read more than is read without a yes
    ├── StorageError            Cloud Storage could not answer, or has no such bucket or file
    ├── PlaceError              a place where runs work, such as a cluster, could not answer or refused
    └── RunError                a run failed; the message is its reason

A message is one sentence or two on one line: what must hold, what was received, what to do next.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

#: How much of a received text an error repeats.
_MOST_LETTERS = 60

#: How many names an error lists: the views, labels, settings of a run; of hundreds of runs only the first.
_MOST_NAMES = 30

#: How many ways out of a question an error lists; a form shows all.
_MOST_CHOICES = 6


def brief(received: object) -> str:
    """Return what was received as an error shows it: quoted, and no longer than a line can bear."""
    shown = received if isinstance(received, str) else _written(received)
    shown = shown if len(shown) <= _MOST_LETTERS else shown[:_MOST_LETTERS] + "…"
    return repr(shown) if isinstance(received, str) else shown


def _written(received: object) -> str:
    try:
        return repr(received)
    except ValueError:  # Python writes no number of more than 4,300 digits
        return "a number of too many digits"


class CxrError(Exception):
    """Every error that the product raises on purpose; its text is fit to be shown to the user."""


class UsageError(CxrError):
    """What the user asked for cannot be done."""


class UnknownNameError(UsageError):
    """A name that does not exist was asked for."""

    def __init__(self, what: str, received: str, known: list[str] | tuple[str, ...]) -> None:
        names = ", ".join(known[:_MOST_NAMES]) if known else "there is none yet"
        more = f" and {len(known) - _MOST_NAMES} more" if len(known) > _MOST_NAMES else ""
        super().__init__(f"Unknown {what} {brief(received)}. Choose one of: {names}{more}.")


@dataclass(frozen=True)
class Choice:
    """One way to read a file: in `words`, as an `option` of the command line, and as `keys` of a mapping.

    `keys` are dotted, as in `{"columns.path": "Path"}`; a form sets them and asks again.
    """

    words: str
    option: str
    keys: dict[str, str]


class NothingNamedError(UsageError):
    """A search found nothing: no patient, study or path is called so."""


class UndecidedError(UsageError):
    """A file can be read in two ways or more; `question` is what to ask, `choices` what can be answered.

    `topic` tells the questions apart: which column, which data set, which view, which rows, which scale…
    """

    def __init__(self, topic: str, question: str, choices: Sequence[Choice]) -> None:
        self.topic, self.question, self.choices = topic, question, tuple(choices)
        ways = "; ".join(f"{choice.option} ({choice.words})" for choice in choices[:_MOST_CHOICES])
        more = f"; and {len(choices) - _MOST_CHOICES} more" if len(choices) > _MOST_CHOICES else ""
        super().__init__(f"{question} Decide with one of: {ways}{more}.")


class SettingsError(UsageError):
    """A setting in cxr.toml or in the environment is wrong."""


class ExistsError(UsageError):
    """Something that exists would be overwritten."""


class DataError(CxrError):
    """Data that was read is not what it must be."""


class RecordError(DataError):
    """A TFRecord file is damaged, or an example in it lacks a field."""


class TableError(DataError):
    """A label or prediction table is damaged, or lacks a column."""


class ModelFileError(DataError):
    """A model file is damaged, or holds another network."""


class WarehouseError(CxrError):
    """A warehouse could not answer: network, permission, limit or timeout."""


class StorageError(CxrError):
    """Cloud Storage could not answer (network, permission), or has no such bucket or file."""


class PlaceError(CxrError):
    """A place where runs work, such as a cluster, could not answer, or refused what it was asked."""


class AccessError(WarehouseError):
    """A table or data set may not be read or written; others may."""


class CostlyError(WarehouseError):
    """A question to BigQuery, `question` with its `sql`, would read `n_bytes`; `key` is what a yes is said to."""

    def __init__(self, question: str, sql: str, n_bytes: int, limit: int, key: Hashable) -> None:
        self.question, self.sql, self.n_bytes, self.key = question, sql, n_bytes, key
        super().__init__(
            f"BigQuery would read {n_bytes:,} bytes for the question {question}, and above ask_above_bytes = {limit:,} "
            f"it is asked only after a yes. On a page, press the button; else set CXR_ASK_ABOVE_BYTES={n_bytes} for "
            "this command, or raise ask_above_bytes in cxr.toml."
        )


class RunError(CxrError):
    """A run failed; the message is the reason that its record keeps."""


class LostWorkerError(RunError):
    """Another worker of the run is gone, so that this one can only end: the run may go on from its last checkpoint."""
