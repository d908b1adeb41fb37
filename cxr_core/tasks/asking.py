"""What is asked of the tables for a page, what it costs, and the answers that only a user can give.

The pages show it, and know no warehouse.
"""

from collections.abc import Callable
from typing import TypeVar

from cxr_core.warehouse.answers import AskedQuery
from cxr_core.warehouse.approvals import approve
from cxr_core.warehouse.noted import note, noting, telling_estimates
from cxr_core.warehouse.null_labels import TOPIC as NULL_TOPIC

__all__ = ["NULL_TOPIC", "AskedQuery", "approve", "note", "noting", "telling_estimates", "with_questions"]

R = TypeVar("R")


def with_questions(task: Callable[..., R], *arguments: object) -> tuple[R, tuple[AskedQuery, ...]]:
    """Return what a task returns, and what it asked the tables."""
    with noting() as questions:
        value = task(*arguments)
    return value, tuple(questions)
