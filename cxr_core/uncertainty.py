"""(u, w) policies: which target and which weight an uncertain label gets in the loss, and a blank one.

`u` is the probability of "positive" that an uncertain label stands for, `w` the weight of its term. Negative is 0 and
positive 1, both at weight 1. So is *not mentioned* 0 at weight 1, as in 2019, unless `blank_u` and `blank_w` say else.

A policy is one of the four strategies of 2019, any (u, w), numbers for each label, `mask-blanks` (only what the report
states counts), or `learned`: then u and w are where training starts from, and training moves them
(`training.learned_policy`). Label by label, u may be a range that each image draws from anew in each epoch (`smoothed`;
Pham et al. 2019), and a label may be of a *kind*: `three-class` (uncertain is a class of its own; Irvin et al. 2019),
`soft` (each image brings its u along), `self-trained:MODEL` (each image's u is what MODEL predicts) or `self-trained`
(what the run's own first stage predicts). A label of a kind has u = w = 0: an uncertain image without u is left out.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cxr_core.errors import UnknownNameError, UsageError, brief
from cxr_core.model_names import spelled_pair
from cxr_core.policy_kinds import SELF_TRAINED, SOFT, THREE_CLASS, check_kinds, check_ranges, check_unit, value_table
from cxr_core.schema import LABELS, NAME_PATTERN

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
SMOOTHED = "smoothed"
#: The range that Pham et al. found best for positive uncertain labels.
SMOOTHED_RANGE = (0.55, 0.85)
#: Every policy that has a name of its own.
POLICY_NAMES: tuple[str, ...] = (*NAMED_POLICIES, MASK_BLANKS, SMOOTHED, THREE_CLASS, SELF_TRAINED, SOFT, LEARNED)
ESTIMATED, FROM_READINGS = "estimated", "from-readings"
#: Policies that follow from what a source has; `tasks.policy_choice` makes them.
SOURCE_POLICIES: tuple[str, ...] = (SELF_TRAINED, ESTIMATED, FROM_READINGS)
#: Where a learned policy starts: undecided, at half the weight.
LEARNED_START = (0.5, 0.5)

_NONE, _ALL = (0.0,) * len(LABELS), (1.0,) * len(LABELS)


@dataclass(frozen=True)
class Policy:
    """A target u and a weight w, both in [0, 1], for the uncertain value of each of the 14 labels in schema order.

    `blank_u` and `blank_w` are the same for *not mentioned*. Of a learned policy u and w are the numbers to start from,
    or those that a model ended with. `u_to` has the upper ends of ranges that begin at u, and `kinds` the kinds of
    labels, "" for none; both are empty where no label has any.
    """

    name: str
    u: tuple[float, ...]
    w: tuple[float, ...]
    blank_u: tuple[float, ...] = _NONE
    blank_w: tuple[float, ...] = _ALL
    u_to: tuple[float, ...] = ()
    kinds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not NAME_PATTERN.fullmatch(self.name):
            raise UsageError(
                f"A policy needs a name of letters, digits, '.', '_' and '-'. Received: {self.name!r:.60}."
            )
        for letter, numbers in self.numbers().items():
            if len(numbers) != len(LABELS):
                raise UsageError(f"A policy needs {len(LABELS)} numbers {letter}. Received: {len(numbers)}.")
            for label, number in zip(LABELS, numbers, strict=True):
                check_unit(letter, number, f" for {label}" if len(set(numbers)) > 1 else "")
        check_ranges(self.u, self.u_to)
        check_kinds(self.kinds, self.upper, self.w, self.is_learned)
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
    def is_plain(self) -> bool:
        """Whether numbers say it all: no ranges, no kinds, nothing that training moves."""
        return not (self.u_to or self.kinds or self.is_learned)

    @property
    def upper(self) -> tuple[float, ...]:
        """The upper ends of the ranges of u; u itself where there is no range."""
        return self.u_to or self.u

    def labels_of(self, kind: str) -> tuple[bool, ...]:
        """Return which labels are of a kind: `three-class`, `soft` or `self-trained`, by whatever model."""
        return tuple(one.partition(":")[0] == kind for one in self.kinds or ("",) * len(LABELS))

    @property
    def by_image(self) -> bool:
        """Whether some label takes the u of each image from a table."""
        return any((*self.labels_of(SOFT), *self.labels_of(SELF_TRAINED)))

    @property
    def u_scalar(self) -> float | None:
        """The one u of all labels, or None when they differ, blanks have numbers too, or numbers do not say it all."""
        return _single(self.u) if self.is_plain and not self.says_of_blanks else None

    @property
    def w_scalar(self) -> float | None:
        """The one w of all labels, or None when they differ, blanks have numbers too, or numbers do not say it all."""
        return _single(self.w) if self.is_plain and not self.says_of_blanks else None

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits that are the same for the same numbers, whatever the policy is called.

        Losses compare only among runs with one digest. A learned policy differs from a fixed one with its numbers.
        """
        rows = list(self.numbers().values())
        kept = rows if self.says_of_blanks else rows[:2]
        more = [[list(self.upper), list(self.kinds)]] if self.u_to or self.kinds else []
        content = json.dumps([self.is_learned, *([float(number) for number in row] for row in kept), *more])
        return hashlib.sha256(content.encode()).hexdigest()[:8]

    def words(self) -> str:
        """Return the policy as people read it: `hybrid (u 0.5, w 0.25)`, `u 0.4, w 0.75`, `mine (policy 3f2a91c0)`."""
        if self.u_scalar is None or self.w_scalar is None:
            return f"{self.name} (policy {self.digest})"
        pair = f"u {self.u_scalar:g}, w {self.w_scalar:g}"
        return f"{self.name} ({pair})" if self.name in NAMED_POLICIES else pair

    def targets(self) -> npt.NDArray[np.float32]:
        """Return the (4, 14) table of targets: row = label value, column = label. Of a range it is the middle."""
        middle = tuple((low + high) / 2 for low, high in zip(self.u, self.upper, strict=True))
        return value_table(0.0, self.blank_u, middle)

    def weights(self) -> npt.NDArray[np.float32]:
        """Return the (4, 14) table of weights: row = label value, column = label."""
        return value_table(1.0, self.blank_w, self.w)

    def as_dict(self) -> dict[str, Any]:
        """Return the policy as JSON values: `{"name", "u": [14], "w": [14]}`, and what else it has, by its field."""
        rows = {name: list(row) for name, row in self.numbers().items()}
        blanks = ("blank_u", "blank_w") if self.says_of_blanks else ()
        more = {name: list(row) for name, row in (("u_to", self.u_to), ("kinds", self.kinds)) if row}
        return {"name": self.name} | {name: rows[name] for name in ("u", "w", *blanks)} | more

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> "Policy":
        """Return the policy that `as_dict` described, checked again."""
        try:
            rows = (values["u"], values["w"], values.get("blank_u", _NONE), values.get("blank_w", _ALL))
            kinds = tuple(str(kind) for kind in values.get("kinds", ()))
            u, w, blank_u, blank_w, u_to = (_numbers(row) for row in (*rows, values.get("u_to", ())))
            return Policy(str(values["name"]), u, w, blank_u, blank_w, u_to, kinds)
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
        return spelled_pair(self.u_scalar, self.w_scalar)


def uniform_policy(u: float, w: float) -> Policy:
    """Return the policy with one (u, w) for all labels; it bears the strategy's name when it is one of the four."""
    check_unit("u", u)
    check_unit("w", w)
    names = [name for name, pair in NAMED_POLICIES.items() if pair == (u, w)]
    return Policy(names[0] if names else CUSTOM, (float(u),) * len(LABELS), (float(w),) * len(LABELS))


def named_policy(name: str) -> Policy:
    """Return one of `POLICY_NAMES`; of `smoothed` the range is `SMOOTHED_RANGE` at full weight."""
    if name == MASK_BLANKS:
        return Policy(MASK_BLANKS, _NONE, _NONE, _NONE, _NONE)
    if name == LEARNED:
        u, w = LEARNED_START
        return Policy(LEARNED, (u,) * len(LABELS), (w,) * len(LABELS))
    if name == SMOOTHED:
        low, high = ((end,) * len(LABELS) for end in SMOOTHED_RANGE)
        return Policy(SMOOTHED, low, _ALL, u_to=high)
    if name in (THREE_CLASS, SELF_TRAINED, SOFT):
        return kind_policy(name)
    if name not in NAMED_POLICIES:
        raise UnknownNameError("policy", name, POLICY_NAMES)
    return uniform_policy(*NAMED_POLICIES[name])


def kind_policy(kind: str) -> Policy:
    """Return the policy of one kind for all labels: `three-class`, `soft`, `self-trained` or `self-trained:MODEL`."""
    return Policy(kind.partition(":")[0], _NONE, _NONE, kinds=(kind,) * len(LABELS))


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
    u, w, blank_u, blank_w = (_numbers(row) for row in (us, ws, blank_us, blank_ws))
    own = Policy(name if is_free(name) else CUSTOM, u, w, blank_u, blank_w)
    known = named_policy(MASK_BLANKS)
    if own.u_scalar is not None and own.w_scalar is not None:
        return uniform_policy(own.u_scalar, own.w_scalar)
    return known if own.numbers() == known.numbers() else own


def is_free(name: str) -> bool:
    """Say whether a policy that somebody wrote may bear a name."""
    return NAME_PATTERN.fullmatch(name) is not None and name not in (*POLICY_NAMES, *SOURCE_POLICIES)


def _numbers(values: Any) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _single(numbers: tuple[float, ...]) -> float | None:
    return numbers[0] if len(set(numbers)) == 1 else None


#: What the form of 2019 began with.
DEFAULT_POLICY = uniform_policy(0.4, 0.75)
