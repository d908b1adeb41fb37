"""Options from the environment: `CXR_OPT_<COMMAND>_<OPTION>`, as `CXR_OPT_TRAIN_EPOCHS=5` for `train --epochs 5`.

`--source` and `--json`, which every command has, are `CXR_OPT_SOURCE` and `CXR_OPT_JSON`. What stands on the command
line wins, then the environment, then the default. A name that is no option of the command is refused.
"""

import argparse
import os
import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cxr_core.errors import UnknownNameError, UsageError, brief

PREFIX = "CXR_OPT_"
_OF_EVERY_COMMAND = ("source", "json")
_TRUTHS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def variable(command: str, destination: str) -> str:
    """Return the environment variable of an option, by the name under which its value is kept."""
    name = destination if destination in _OF_EVERY_COMMAND else f"{command}_{destination}"
    return PREFIX + name.replace("-", "_").upper()


def options(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return the options that a parser takes, in their order, without --help."""
    return [action for action in parser._actions if action.option_strings and action.dest != "help"]


def parse_with_variables(
    parser: argparse.ArgumentParser, command: str, arguments: Iterable[str], environment: Mapping[str, str] = os.environ
) -> argparse.Namespace:
    """Parse a command line; an option that it lacks is taken from the environment.

    Raises:
        UsageError: a value of a variable cannot be read, or a variable names no option of this command.
    """
    mine = {variable(command, action.dest): action for action in options(parser)}
    _refuse_unknown(command, mine, environment)
    given = {name: action for name, action in mine.items() if environment.get(name)}
    values = {action.dest: _value(name, action, environment[name]) for name, action in given.items()}
    for action in given.values():
        action.default, action.required = argparse.SUPPRESS, False
    parsed = parser.parse_intermixed_args(list(arguments))
    return argparse.Namespace(**values | vars(parsed))


def _refuse_unknown(command: str, mine: Iterable[str], environment: Mapping[str, str]) -> None:
    beginning = variable(command, "")
    for name in environment:
        if name.startswith(beginning) and name not in mine:
            raise UnknownNameError(f"variable of `{command}`", name, sorted(mine))


def _value(name: str, action: argparse.Action, text: str) -> Any:
    """Return what the option's own reading makes of the text; several values are separated as a shell would."""
    if action.nargs == 0:
        return _read(name, _truth, text, "true or false")
    read: Callable[[str], Any] = action.type if callable(action.type) else str
    kind = {int: "a whole number", float: "a number"}.get(read, "valid")  # type: ignore[call-overload]
    if action.nargs in ("+", "*") or isinstance(action, argparse._AppendAction):
        return [_read(name, read, part, kind) for part in shlex.split(text)]
    return _read(name, read, text, kind)


def _read(name: str, read: Callable[[str], Any], text: str, kind: str) -> Any:
    try:
        return read(text)
    except (ValueError, argparse.ArgumentTypeError) as error:
        raise UsageError(f"{name} must be {kind}. Received: {brief(text)}.") from error


def _truth(text: str) -> bool:
    if text.lower() not in _TRUTHS:
        raise ValueError(text)
    return _TRUTHS[text.lower()]
