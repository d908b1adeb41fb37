"""How thresholds are chosen: the rules of a card."""

from dataclasses import dataclass

from cxr_core.errors import UsageError, brief
from cxr_core.evaluation.thresholds import WANTING, check_wanted

#: The rules that want no figure; those of `WANTING` do.
PLAIN = ("youden", "f1")


@dataclass(frozen=True)
class Rule:
    """How thresholds are chosen: `name` is of `thresholds.RULES`, `wanted` the figure where the rule wants one."""

    name: str
    wanted: float | None = None

    def __str__(self) -> str:
        # All digits, so that a card that is read again has the same rule.
        return self.name if self.wanted is None else f"{self.name}={str(self.wanted).removesuffix('.0')}"


def parse_rule(text: str) -> Rule:
    """Return the rule that a text names: `sensitivity=0.9`, `specificity=.95`, `alarms=10`, `youden` or `f1`.

    Raises:
        UsageError: there is no such rule, or its figure is not above 0 and at most 1, of `alarms` 100.
    """
    name, sign, figure = text.partition("=")
    if name not in (*WANTING, *PLAIN):
        raise UsageError(f"A rule is sensitivity=X, specificity=X, alarms=X, youden or f1. Received: {brief(text)}.")
    if (name in WANTING) != bool(sign):
        example = f"{name}={'10' if name == 'alarms' else '0.9'}"
        says = f"needs a figure, as in {example}" if name in WANTING else f"takes no figure, as in {name}"
        raise UsageError(f"The rule {name} {says}. Received: {brief(text)}.")
    try:
        wanted = float(figure) if sign else None
    except ValueError:
        wanted = float("nan")
    if wanted is not None:
        check_wanted(name, wanted, brief(figure))
    return Rule(name, wanted)
