"""(u, w) policies: which target and which weight an uncertain label gets in the loss, and a blank one.

`u` is the probability of "positive" that an uncertain label stands for, `w` the weight of its term. Negative is 0 and
positive 1, both at weight 1. So is *not mentioned* 0 at weight 1, as in 2019, unless `blank_u` and `blank_w` say else.

A policy is one of the four strategies of 2019, any (u, w), numbers for each label, `mask-blanks` (only what the report
states counts), or `learned`: then u and w are where training starts from, and training moves them
(`training.learned_policy`).
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cxr_core.errors import UnknownNameError, UsageError, brief
from cxr_core.schema import LABELS, NAME_PATTERN, VALUES, VIEWS, Value

#: name -> (u, w) of the four strategies of the pretrained models of 2019.
NAMED_POLICIES: dict[str, tuple[float, float]] = {
    "ignore": (0.0, 0.0),
    "negative": (0.0, 1.0),
    "positive": (1.0, 1.0),
    "hybrid": (0.5, 0.25),
}
CUSTOM = "custom"
LEARNED = "learned"
MASK_BLANKS = "mask-blanks"
#: Every policy that has a name of its own.
POLICY_NAMES: tuple[str, ...] = (*NAMED_POLICIES, MASK_BLANKS, LEARNED)
#: Where a learned policy starts: undecided, at half the weight.
LEARNED_START = (0.5, 0.5)

_NONE, _ALL = (0.0,) * len(LABELS), (1.0,) * len(LABELS)

_MODEL_NAME = re.compile(r"densenet_(?P<view>[a-z]+)_u(?P<u>\d+_\d+)__w(?P<w>\d+_\d+)(?:\W.*)?")


@dataclass(frozen=True)
class Policy:
    """A target u and a weight w, both in [0, 1], for the uncertain value of each of the 14 labels in schema order.

    `blank_u` and `blank_w` are the same for *not mentioned*. Of a learned policy u and w are the numbers to start from,
    or those that a model ended with.
    """

    name: str
    u: tuple[float, ...]
    w: tuple[float, ...]
    blank_u: tuple[float, ...] = _NONE
    blank_w: tuple[float, ...] = _ALL

    def __post_init__(self) -> None:
        if not NAME_PATTERN.fullmatch(self.name):
            raise UsageError(
                f"A policy needs a name of letters, digits, '.', '_' and '-'. Received: {self.name!r:.60}."
            )
        for letter, numbers in self.numbers().items():
            if len(numbers) != len(LABELS):
                raise UsageError(f"A policy needs {len(LABELS)} numbers {letter}. Received: {len(numbers)}.")
            for label, number in zip(LABELS, numbers, strict=True):
                _check_unit(letter, number, f" for {label}" if len(set(numbers)) > 1 else "")
        if self.name in NAMED_POLICIES and (self.u_scalar, self.w_scalar) != NAMED_POLICIES[self.name]:
            u, w = NAMED_POLICIES[self.name]
            raise UsageError(f"The policy {self.name} is u = {u:g}, w = {w:g}. Give other numbers another name.")
        if self.name == MASK_BLANKS and {*self.u, *self.w, *self.blank_u, *self.blank_w} != {0.0}:
            raise UsageError(f"The policy {self.name} has weight 0 for blank and uncertain. Give others another name.")

    def numbers(self) -> dict[str, tuple[float, ...]]:
        """Return the four rows of 14 numbers by their names: u, w, blank_u, blank_w."""
        return {"u": self.u, "w": self.w, "blank_u": self.blank_u, "blank_w": self.blank_w}

    @property
    def says_of_blanks(self) -> bool:
        """Whether *not mentioned* is anything but absent at full weight."""
        return (self.blank_u, self.blank_w) != (_NONE, _ALL)

    @property
    def is_learned(self) -> bool:
        """Whether training moves u and w."""
        return self.name == LEARNED

    @property
    def u_scalar(self) -> float | None:
        """The one u of all labels, or None when they differ or are learned, or blanks have numbers too."""
        return None if self.is_learned or self.says_of_blanks else _single(self.u)

    @property
    def w_scalar(self) -> float | None:
        """The one w of all labels, or None when they differ or are learned, or blanks have numbers too."""
        return None if self.is_learned or self.says_of_blanks else _single(self.w)

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits that are the same for the same numbers, whatever the policy is called.

        Losses compare only among runs with one digest. A learned policy differs from a fixed one with its numbers.
        """
        rows = list(self.numbers().values())
        kept = rows if self.says_of_blanks else rows[:2]
        content = json.dumps([self.is_learned, *([float(number) for number in row] for row in kept)])
        return hashlib.sha256(content.encode()).hexdigest()[:8]

    def words(self) -> str:
        """Return the policy as people read it: `hybrid (u 0.5, w 0.25)`, `u 0.4, w 0.75`, `mine (policy 3f2a91c0)`."""
        if self.u_scalar is None or self.w_scalar is None:
            return f"{self.name} (policy {self.digest})"
        pair = f"u {self.u_scalar:g}, w {self.w_scalar:g}"
        return f"{self.name} ({pair})" if self.name in NAMED_POLICIES else pair

    def targets(self) -> npt.NDArray[np.float32]:
        """Return the (4, 14) table of targets: row = label value, column = label."""
        return _table(negative=0.0, blank=self.blank_u, uncertain=self.u)

    def weights(self) -> npt.NDArray[np.float32]:
        """Return the (4, 14) table of weights: row = label value, column = label."""
        return _table(negative=1.0, blank=self.blank_w, uncertain=self.w)

    def as_dict(self) -> dict[str, Any]:
        """Return the policy as JSON values: `{"name", "u": [14], "w": [14]}`, `blank_u`, `blank_w` if it has any."""
        rows = {name: list(row) for name, row in self.numbers().items()}
        blanks = ("blank_u", "blank_w") if self.says_of_blanks else ()
        return {"name": self.name} | {name: rows[name] for name in ("u", "w", *blanks)}

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> "Policy":
        """Return the policy that `as_dict` described, checked again."""
        try:
            rows = (values["u"], values["w"], values.get("blank_u", _NONE), values.get("blank_w", _ALL))
            return Policy(str(values["name"]), *(_numbers(row) for row in rows))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise UsageError(
                f"A policy needs a name, 14 numbers u and 14 numbers w. Received: {brief(values)}."
            ) from error

    def suffix(self) -> str:
        """Return the policy's part of a model name: `u0_4__w0_75`, `learned`, or `policy_3f2a91c0` for 14 pairs."""
        if self.name in (LEARNED, MASK_BLANKS):
            return self.name
        if self.u_scalar is None or self.w_scalar is None:
            return f"policy_{self.digest}"
        return f"u{_spelled(self.u_scalar)}__w{_spelled(self.w_scalar)}"


def uniform_policy(u: float, w: float) -> Policy:
    """Return the policy with one (u, w) for all labels; it bears the strategy's name when it is one of the four."""
    _check_unit("u", u)
    _check_unit("w", w)
    names = [name for name, pair in NAMED_POLICIES.items() if pair == (u, w)]
    return Policy(names[0] if names else CUSTOM, (float(u),) * len(LABELS), (float(w),) * len(LABELS))


def named_policy(name: str) -> Policy:
    """Return one of the four strategies, `mask-blanks` (0, 0 for uncertain and blank), or `learned`."""
    if name == MASK_BLANKS:
        return Policy(MASK_BLANKS, _NONE, _NONE, _NONE, _NONE)
    if name == LEARNED:
        u, w = LEARNED_START
        return Policy(LEARNED, (u,) * len(LABELS), (w,) * len(LABELS))
    if name not in NAMED_POLICIES:
        raise UnknownNameError("policy", name, POLICY_NAMES)
    return uniform_policy(*NAMED_POLICIES[name])


def label_policy(
    us: Sequence[float],
    ws: Sequence[float],
    name: str = CUSTOM,
    blank_us: Sequence[float] = _NONE,
    blank_ws: Sequence[float] = _ALL,
) -> Policy:
    """Return the policy with a u and a w for each label in schema order, and for its blanks.

    One pair for all is `uniform_policy`'s, and the numbers of `mask-blanks` are that strategy.
    """
    own = Policy(name if _is_free(name) else CUSTOM, *(_numbers(row) for row in (us, ws, blank_us, blank_ws)))
    known = named_policy(MASK_BLANKS)
    if own.u_scalar is not None and own.w_scalar is not None:
        return uniform_policy(own.u_scalar, own.w_scalar)
    return known if own.numbers() == known.numbers() else own


def parse_model_name(name: str) -> tuple[str | None, float | None, float | None]:
    """Return (view, u, w) that a name such as `densenet_frontal_u0_5__w0_25` tells, each None when it does not."""
    match = _MODEL_NAME.fullmatch(name)
    if match is None:
        return None, None, None
    view = match["view"] if match["view"] in VIEWS else None
    return view, _unspelled(match["u"]), _unspelled(match["w"])


def _check_unit(letter: str, number: float, where: str = "") -> None:
    if not (
        isinstance(number, (int, float)) and not isinstance(number, bool) and math.isfinite(number) and 0 <= number <= 1
    ):
        raise UsageError(f"{letter} must be a number from 0 to 1{where}. Received: {number!r}.")


def _is_free(name: str) -> bool:
    return NAME_PATTERN.fullmatch(name) is not None and name not in POLICY_NAMES


def _numbers(values: Any) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _single(numbers: tuple[float, ...]) -> float | None:
    return numbers[0] if len(set(numbers)) == 1 else None


def _table(negative: float, blank: tuple[float, ...], uncertain: tuple[float, ...]) -> npt.NDArray[np.float32]:
    table = np.empty((len(VALUES), len(LABELS)), np.float32)
    table[Value.not_mentioned] = blank
    table[Value.negative] = negative
    table[Value.uncertain] = uncertain
    table[Value.positive] = 1.0
    return table


def _spelled(number: float) -> str:
    shown = f"{number:g}"
    return (shown if "." in shown else f"{shown}.0").replace(".", "_")


def _unspelled(text: str) -> float | None:
    number = float(text.replace("_", "."))
    return number if number <= 1 else None


#: What the form of 2019 began with.
DEFAULT_POLICY = uniform_policy(0.4, 0.75)
