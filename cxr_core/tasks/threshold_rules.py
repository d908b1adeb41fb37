"""How thresholds are chosen: the rules of a card."""

from dataclasses import dataclass

from cxr_core.errors import UsageError, brief

#: The rules that want a figure, and those that want none.
WANTING, PLAIN = ("sensitivity", "specificity"), ("youden", "f1")


@dataclass(frozen=True)
class Rule:
    """How thresholds are chosen: `name` is of `thresholds.RULES`, `wanted` the figure where the rule wants one."""

    name: str
    wanted: float | None = None

    def __str__(self) -> str:
        return self.name if self.wanted is None else f"{self.name}={self.wanted:g}"


def parse_rule(text: str) -> Rule:
    """Return the rule that a text names: `sensitivity=0.9`, `specificity=.95`, `youden` or `f1`.

    Raises:
        UsageError: there is no such rule, or its figure is not above 0 and at most 1.
    """
    name, sign, figure = text.partition("=")
    if name not in (*WANTING, *PLAIN):
        raise UsageError(f"A rule is sensitivity=X, specificity=X, youden or f1. Received: {brief(text)}.")
    if (name in WANTING) != bool(sign):
        raise UsageError(f"The rule {name} {'needs a figure' if name in WANTING else 'takes no figure'}, as in "
                         f"{'sensitivity=0.9' if name in WANTING else name}. Received: {brief(text)}.")  # fmt: skip
    try:
        wanted = float(figure) if sign else None
    except ValueError:
        wanted = float("nan")
    if wanted is not None and not 0 < wanted <= 1:
        raise UsageError(f"A wanted {name} must be above 0 and at most 1. Received: {brief(figure)}.")
    return Rule(name, wanted)
