import argparse
import json

import pytest

from cxr_core.cli import COMMANDS, command_named, main
from cxr_core.commands.option_variables import options, variable
from cxr_core.commands.parsing import Parser
from cxr_core.errors import UsageError

#: What every command needs besides its options to be understood.
POSITIONALS = {
    "import": ["labels", "x.csv"],
    "export": ["predictions"],
    "evaluate": ["a"],
    "thresholds": ["a"],
    "doubts": ["a"],
    "gaps": ["a"],
    "show": ["a"],
    "restore": ["a"],
    "compare": ["a", "b"],
    "seeds": ["a", "b"],
    "ensemble": ["a", "b"],
    "completion": ["bash"],
}
EVERY_OPTION = [
    (name, option.dest)
    for name in COMMANDS
    for parser in [Parser()]
    for _ in [command_named(name).declare(parser)]
    for option in options(parser)
]


def option_of(name, destination):
    parser = Parser()
    command_named(name).declare(parser)
    return next(option for option in options(parser) if option.dest == destination)


def text_for(option, number):
    """A value that the option takes, as it stands in the environment, and what must come of it."""
    if option.nargs == 0:
        return "true", True
    read = option.type or str
    value = read(str(number))
    return str(number), [value] if option.nargs == "+" or isinstance(option, argparse._AppendAction) else value


def required(name, monkeypatch):
    """Give in the environment what the command cannot do without."""
    parser = Parser()
    command_named(name).declare(parser)
    for option in options(parser):
        if option.required:
            monkeypatch.setenv(variable(name, option.dest), "1")


@pytest.mark.parametrize(("name", "destination"), EVERY_OPTION)
def test_every_option_comes_from_the_environment_and_the_command_line_wins(name, destination, monkeypatch):
    required(name, monkeypatch)
    option = option_of(name, destination)
    text, value = text_for(option, 1)
    monkeypatch.setenv(variable(name, destination), text)
    positionals = POSITIONALS.get(name, [])
    assert getattr(command_named(name).parse(positionals), destination) == value
    if option.nargs != 0:
        other, wanted = text_for(option, 2)
        given = [*positionals, f"{option.option_strings[0]}={other}"]
        assert getattr(command_named(name).parse(given), destination) == wanted


@pytest.mark.parametrize("name", COMMANDS)
def test_without_variables_a_command_has_the_defaults_that_it_had(name, monkeypatch):
    required(name, monkeypatch)
    parser = Parser()
    command_named(name).declare(parser)
    needed = {option.dest for option in options(parser) if option.required}
    parsed = vars(command_named(name).parse(POSITIONALS.get(name, [])))
    for option in options(parser):
        if option.dest not in needed and option.default != argparse.SUPPRESS:
            assert parsed[option.dest] == parser.get_default(option.dest)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("CXR_OPT_TRAIN_EPOCHS", "many", "CXR_OPT_TRAIN_EPOCHS must be a whole number. Received: 'many'."),
        ("CXR_OPT_TRAIN_U", "much", "CXR_OPT_TRAIN_U must be a number. Received: 'much'."),
        ("CXR_OPT_TRAIN_AUGMENT", "maybe", "CXR_OPT_TRAIN_AUGMENT must be true or false. Received: 'maybe'."),
        ("CXR_OPT_TRAIN_EPOCH", "3", "Unknown variable of `train` 'CXR_OPT_TRAIN_EPOCH'"),
    ],
)
def test_a_wrong_variable_is_told_by_its_name(name, text, sentence, monkeypatch):
    monkeypatch.setenv(name, text)
    with pytest.raises(UsageError) as refused:
        command_named("train").parse([])
    assert str(refused.value).startswith(sentence)


def test_several_values_are_separated_as_a_shell_does(monkeypatch):
    monkeypatch.setenv("CXR_OPT_SWEEP_U", "0 0.5")
    parsed = command_named("sweep").parse(["--w", "1"])
    assert (parsed.u, parsed.w) == ([0.0, 0.5], [1.0])


def test_a_flag_may_be_switched_off_in_the_environment(monkeypatch):
    monkeypatch.setenv("CXR_OPT_TRAIN_DETACH", "no")
    assert command_named("train").parse([]).detach is False


def test_an_empty_variable_says_nothing(monkeypatch):
    monkeypatch.setenv("CXR_OPT_DISTRIBUTION_VIEW", "")
    assert command_named("distribution").parse([]).view == "frontal"


def test_json_may_be_asked_for_once_and_for_all(monkeypatch, capsys):
    monkeypatch.setenv("CXR_OPT_JSON", "1")
    assert main(["runs"]) == 0
    assert json.loads(capsys.readouterr().out) == []
