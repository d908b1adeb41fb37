"""What one training option is: its default, what may be chosen, and what it is called and for.

Checks, command line, form and documentation are all made from this; `training.options` has the table.
"""

import math
from collections.abc import Sequence
from dataclasses import Field, dataclass, field
from typing import Any

from cxr_core.errors import UnknownNameError, UsageError
from cxr_core.schema import check_name

#: The parts of the form, in their order, and what they are called.
SECTIONS = {
    "data": "Data",
    "network": "Network",
    "machine": "Machine",
    "workers": "Several workers",
    "name": "Name",
    "more": "More options",
    "recipe": "How it learns",
    "computed": "How it is computed",
}

_LONGEST_TEXT = 4096
_KEY = "option"


@dataclass(frozen=True)
class OneOf:
    """One of some values: texts, or whole numbers, for which `rule` says what they have in common."""

    known: tuple[Any, ...]
    rule: str = ""

    @property
    def kind(self) -> type:
        """The type of the values."""
        return type(self.known[0])

    def check(self, noun: str, received: object) -> None:
        """Raise `UsageError` unless it is one of the values."""
        if received in self.known and not isinstance(received, bool):
            return
        if self.rule:
            raise UsageError(f"The {noun} must be {self.rule}. Received: {received!r:.60}.")
        raise UnknownNameError(noun, received if isinstance(received, str) else repr(received), self.known)

    def words(self) -> str:
        """Return what may be chosen."""
        return self.rule or ", ".join(map(str, self.known))


@dataclass(frozen=True)
class Whole:
    """A whole number from `low` to `high`."""

    low: int
    high: int
    kind: type = int

    def check(self, noun: str, received: object) -> None:
        """Raise `UsageError` unless it is such a number."""
        if isinstance(received, bool) or not isinstance(received, int) or not self.low <= received <= self.high:
            raise UsageError(f"The {noun} must be {self.words()}. Received: {received!r:.60}.")

    def words(self) -> str:
        """Return what may be chosen."""
        return f"a whole number from {self.low} to {self.high}"


@dataclass(frozen=True)
class Number:
    """A number from `low` (or above it) to `high`; a form moves by `step` and shows it in the C format `shown`."""

    low: float
    high: float
    above_low: bool = False
    step: float = 1.0
    shown: str = "%.2f"
    kind: type = float

    def check(self, noun: str, received: object) -> None:
        """Raise `UsageError` unless it is such a number."""
        is_number = isinstance(received, (int, float)) and not isinstance(received, bool) and math.isfinite(received)
        if is_number and self.low <= received <= self.high and not (self.above_low and received == self.low):  # type: ignore[operator]
            return
        raise UsageError(f"The {noun} must be {self.words()}. Received: {received!r:.60}.")

    def words(self) -> str:
        """Return what may be chosen."""
        if self.above_low:
            return f"above {self.low:g} and at most {self.high:g}"
        return f"from {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Text:
    """A text of one line, or "" for none; with `names`, a text that may name a thing of that kind."""

    names: str = ""
    kind: type = str

    def check(self, noun: str, received: object) -> None:
        """Raise `UsageError` unless it is such a text."""
        if not isinstance(received, str) or len(received) > _LONGEST_TEXT or "\0" in received:
            raise UsageError(
                f"The {noun} must be a text of at most {_LONGEST_TEXT} characters. Received: {received!r:.60}."
            )
        if self.names and received:
            check_name(self.names, received)

    def words(self) -> str:
        """Return what may be chosen."""
        return "a text"


@dataclass(frozen=True)
class Switch:
    """On or off."""

    kind: type = bool

    def check(self, noun: str, received: object) -> None:
        """Raise `UsageError` unless it is true or false."""
        if not isinstance(received, bool):
            raise UsageError(f"The {noun} must be true or false. Received: {received!r:.60}.")

    def words(self) -> str:
        """Return what may be chosen."""
        return "on or off"


Rule = OneOf | Whole | Number | Text | Switch


@dataclass(frozen=True)
class Option:
    """One row of the table of options.

    Attributes:
        name: the field of `TrainOptions`, the name on the command line with dashes, and of the form's input.
        default: what is taken where nothing is said.
        rule: what may be chosen.
        label: what the form calls it.
        help: what it does, in one or more sentences.
        section: the part of the form that has it, one of `SECTIONS`.
        noun: what an error calls it.
        on_synthetic: the default on a synthetic source, where it is another one.
        told_default: the default in words, where the value does not tell it.
        metavar: what stands for the value in the command line's help.
        placeholder: what stands in an empty input of the form.
        offers: what the form offers, where the rule allows more.
        url: the name in the page's address, where it is not that of the option.
        again: whether a run that is trained again takes it over.
    """

    name: str
    default: Any
    rule: Rule
    label: str
    help: str
    section: str
    noun: str
    on_synthetic: Any = None
    told_default: str = ""
    metavar: str = ""
    placeholder: str = ""
    offers: tuple[Any, ...] = ()
    url: str = ""
    again: bool = True

    @property
    def flag(self) -> str:
        """The option of the command line."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def key(self) -> str:
        """The key of the form's input, which is its name in the page's address."""
        return f"train-{self.url or self.name.replace('_', '-')}"

    @property
    def choices(self) -> tuple[Any, ...]:
        """What a list of the form offers; nothing where the form has no list for it."""
        return self.offers or (self.rule.known if isinstance(self.rule, OneOf) else ())

    def check(self, received: object) -> None:
        """Raise `UsageError`, or `UnknownNameError` of a choice, unless the value may be chosen."""
        self.rule.check(self.noun, received)

    def default_words(self) -> str:
        """Return the default for people."""
        if self.told_default or isinstance(self.default, bool):
            return self.told_default or ("on" if self.default else "off")
        other = "" if self.on_synthetic is None else f"; {_shown(self.on_synthetic)} on a synthetic source"
        return f"{_shown(self.default) or 'none'}{other}"

    def described(self) -> str:
        """Return the help with what may be chosen and the default, as the command line shows it."""
        chosen = f" One of {self.rule.words()}." if isinstance(self.rule, OneOf) and not self.rule.rule else ""
        default = "" if self.default == "" and not self.told_default else f" Default: {self.default_words()}."
        return f"{self.help}{chosen}{default}"


def stated(default: Any, rule: Rule, label: str, help: str, section: str, noun: str = "", **more: Any) -> Any:
    """Return the field of a dataclass that is this option; its name is the field's."""
    facts = {"rule": rule, "label": label, "help": help, "section": section, "noun": noun} | more
    return field(default=default, metadata={_KEY: facts})


def options_of(fields: Sequence[Field[Any]]) -> tuple[Option, ...]:
    """Return the options that the fields of a dataclass state, in the order of their sections."""
    found = []
    for one in fields:
        if facts := one.metadata.get(_KEY):
            noun = facts["noun"] or one.name.replace("_", " ")
            found.append(Option(name=one.name, default=one.default, **{**facts, "noun": noun}))
    return tuple(sorted(found, key=lambda option: list(SECTIONS).index(option.section)))


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
