"""Write the tables of settings, commands and training options into the documentation, from the code that defines them.

python docs/make_reference.py
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

from cxr_core.cli import COMMANDS, command_named
from cxr_core.commands.option_variables import options
from cxr_core.commands.parsing import Command, Parser
from cxr_core.setting_rows import SETTINGS
from cxr_core.training.option import SECTIONS, Option
from cxr_core.training.options import OPTIONS

HERE = Path(__file__).parent


def settings_table() -> str:
    """Return all settings with their variables, defaults and what they do."""
    rows = (
        f"| `{one.name}` | `{one.variable}` | {_default(one.default)} | {one.help}{_rule(one.rule)} |"
        for one in SETTINGS
    )
    return "\n".join(["| name | variable | default | what it does |", "|---|---|---|---|", *rows])


def command_reference() -> str:
    """Return each command with its arguments and options."""
    return "\n\n".join(_command(command_named(name)) for name in COMMANDS)


def training_options() -> str:
    """Return the options of a training by the sections of the form."""
    return "\n\n".join(map(_section, SECTIONS))


def replaced(text: str, name: str, part: str) -> str:
    """Return a page with `part` between the two marks of that name."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, rest = text.split(begin)
    return f"{before}{begin}{part}\n{end}{rest.split(end)[1]}"


#: Page -> the part of it that is made here, and how.
PARTS = {
    "settings.md": ("settings", settings_table),
    "command-line.md": ("commands", command_reference),
    "training-options.md": ("options", training_options),
}


def _section(section: str) -> str:
    rows = (_option_row(option) for option in OPTIONS if option.section == section)
    head = ["| option | default | may be | what it does |", "|---|---|---|---|"]
    return "\n".join([f"## {SECTIONS[section]}", "", *head, *rows])


def _option_row(option: Option) -> str:
    return f"| `{option.flag}` | {option.default_words()} | {option.rule.words()} | {_cell(option.help)} |"


def _command(command: Command) -> str:
    parser = Parser(prog=f"cxr {command.name}")
    command.declare(parser)
    own = [action for action in options(parser) if action.dest not in ("source", "json")]
    positionals = [action for action in parser._actions if not action.option_strings]
    usage = " ".join(["cxr", command.name, *map(_positional, positionals)])
    rows = [_row(_metavar(one), one) for one in positionals] + [_row(_option(one), one) for one in own]
    table = ["", "| argument or option | |", "|---|---|", *rows] if rows else []
    return "\n".join([f"### `{usage}`", "", command.help, *table])


def _row(name: str, action: argparse.Action) -> str:
    return f"| `{_cell(name)}` | {_told(action)} |"


def _positional(action: argparse.Action) -> str:
    name = _metavar(action)
    return {"*": f"[{name} …]", "+": f"{name} …", "?": f"[{name}]"}.get(str(action.nargs), name)


def _metavar(action: argparse.Action) -> str:
    return str(action.metavar or action.dest)


def _option(action: argparse.Action) -> str:
    name = action.option_strings[0]
    if action.nargs == 0:
        return name
    value = _metavar(action) if action.metavar else action.dest.upper()
    return f"{name} {value}" + (" …" if action.nargs in ("+", "*") else "")


def _told(action: argparse.Action) -> str:
    text = (action.help or "") % {"default": action.default}
    return _cell(f"{text} (required)" if action.required and action.option_strings else text)


def _default(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
    return f"`{text}`" if text else "empty"


def _rule(rule: str) -> str:
    return f" Must be {rule}." if rule else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main(names: Iterable[str] = PARTS) -> None:
    """Write each part into its page."""
    for name in names:
        mark, make = PARTS[name]
        page = HERE / name
        page.write_text(replaced(page.read_text(), mark, make()))


if __name__ == "__main__":
    main()
