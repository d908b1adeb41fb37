"""How a command line is read: options in any order, and a mistake is one line that says what to do."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from cxr_core.commands.option_variables import options, parse_with_variables, variable
from cxr_core.errors import UsageError

#: How the command line is called, in what it says: as it was called now.
PROGRAM = "cxr" if Path(sys.argv[0]).stem == "cxr" else "python -m cxr_core"
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
    """One command: what it does, its arguments, how it is carried out; on which source if none is named ("": all)."""

    name: str
    help: str
    arguments: Callable[[Parser], None]
    execute: Callable[[argparse.Namespace], Answer]
    source: str = DEFAULT_SOURCE

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Return the values of the arguments, or raise `UsageError`."""
        parser = Parser(prog=f"{PROGRAM} {self.name}", description=self.help, allow_abbrev=False)
        self.declare(parser)
        parser.epilog = self._variables(parser)
        return parse_with_variables(parser, self.name, arguments)

    def declare(self, parser: Parser) -> None:
        """Add the arguments of this command, those of every command first."""
        told = f"the source to work on (default {self.source or 'all'})"
        parser.add_argument("--source", metavar="NAME", default=self.source, help=told)
        parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
        self.arguments(parser)

    def _variables(self, parser: Parser) -> str:
        option = options(parser)[-1]
        return f"An option can come from the environment too: {option.option_strings[0]} from " + variable(
            self.name, option.dest
        )


def no_arguments(parser: Parser) -> None:
    """Take no arguments but those of every command."""
