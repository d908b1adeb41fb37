"""How a command line is read: options in any order, and a mistake is one line that says what to do."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from cxr_core.errors import UsageError

PROGRAM = "python -m cxr_core"
DEFAULT_SOURCE = "demo"


class Parser(argparse.ArgumentParser):
    """Reads the arguments of one command; what it refuses is a `UsageError`."""

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments."""
        said = message[:1].upper() + message[1:]
        raise UsageError(f"{said}. See `{self.prog} --help`.")


@dataclass(frozen=True)
class Answer:
    """What a command came to: `document` for --json, `text` for people, and what goes to standard error."""

    document: Any
    text: Callable[[], str]
    status: int = 0
    complaint: str = ""


@dataclass(frozen=True)
class Command:
    """One command: what it does, which arguments it takes, and how it is carried out."""

    name: str
    help: str
    arguments: Callable[[Parser], None]
    execute: Callable[[argparse.Namespace], Answer]

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Return the values of the arguments, or raise `UsageError`."""
        parser = Parser(prog=f"{PROGRAM} {self.name}", description=self.help, allow_abbrev=False)
        parser.add_argument(
            "--source", metavar="NAME", default=DEFAULT_SOURCE, help="the source to work on (default %(default)s)"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
        self.arguments(parser)
        return parser.parse_intermixed_args(arguments)


def no_arguments(parser: Parser) -> None:
    """Take no arguments but those of every command."""
