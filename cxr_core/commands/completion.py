"""`completion`: what makes a shell complete commands, options and names when Tab is pressed.

Whoever presses Tab waits, so that only the module of a command that stands on the line is loaded.
"""

import argparse
import os
from collections.abc import Callable, Iterable
from importlib import import_module

import argcomplete
from argcomplete.shell_integration import shellcode

from cxr_core.commands.option_variables import options
from cxr_core.commands.parsing import Answer, Command, Parser
from cxr_core.errors import UnknownNameError
from cxr_core.schema import DATASETS, LABELS, VIEWS

_SHELLS = ("bash", "zsh", "fish", "powershell")
_EXECUTABLE = "cxr"
#: What may follow an option: the words, or the module and name of what has them. Else the shell completes file names.
_VALUES: dict[str, tuple[str, ...]] = {"view": VIEWS, "dataset": DATASETS, "by": ("image", "study"), "label": LABELS}
_VALUES_ELSEWHERE = {
    "source": ("cxr_core.sources.registry", "source_names"),
    "method": ("cxr_core.tasks.ensemble", "METHOD_NAMES"),
    "policy": ("cxr_core.uncertainty", "POLICY_NAMES"),
    "accelerator": ("cxr_core.training.execution_options", "ACCELERATORS"),
    "group": ("cxr_core.tasks.images", "GROUPS"),
    "architecture": ("cxr_core.training.architectures", "ARCHITECTURES"),
}


def offer(names: Iterable[str], command_named: Callable[[str], Command]) -> None:
    """Answer the shell, which has said in the environment how much of the line is typed, and end the process."""
    parser = Parser(prog=_EXECUTABLE)
    parsers = parser.add_subparsers()
    typed = os.environ.get("COMP_LINE", "").split()
    for name in names:
        own = parsers.add_parser(name)
        if name in typed:
            _declare(command_named(name), own)
    argcomplete.autocomplete(parser)


def _declare(command: Command, parser: Parser) -> None:
    command.declare(parser)
    for option in options(parser):
        if option.dest in _VALUES | _VALUES_ELSEWHERE:
            option.completer = _completer(option.dest)  # type: ignore[attr-defined]


def _completer(destination: str) -> Callable[..., list[str]]:
    return lambda **_: list(_VALUES[destination] if destination in _VALUES else _elsewhere(destination))


def _elsewhere(destination: str) -> Iterable[str]:
    module, name = _VALUES_ELSEWHERE[destination]
    found: Iterable[str] | Callable[[], Iterable[str]] = getattr(import_module(module), name)
    return found() if callable(found) else found


def _arguments(parser: Parser) -> None:
    parser.add_argument("shell", metavar="SHELL", help=f"{', '.join(_SHELLS)}")


def _execute(arguments: argparse.Namespace) -> Answer:
    if arguments.shell not in _SHELLS:
        raise UnknownNameError("shell", arguments.shell, _SHELLS)
    script = shellcode([_EXECUTABLE], shell=arguments.shell)
    return Answer({"shell": arguments.shell, "script": script}, lambda: script)


COMPLETION = Command("completion", 'Print what a shell needs: eval "$(cxr completion bash)".', _arguments, _execute)
