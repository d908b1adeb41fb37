"""Questions that would read much run only after somebody said yes to them; each yes is good for one run."""

import threading
from collections.abc import Hashable

from cxr_core.errors import CostlyError
from cxr_core.settings import settings
from cxr_core.warehouse.questions import Query

_lock = threading.Lock()
_approved: set[Hashable] = set()


def approve(question: Hashable) -> None:
    """Say yes to the `question` of a `CostlyError`."""
    with _lock:
        _approved.add(question)


def check_cost(payer: Hashable, query: Query, n_bytes: int | None) -> None:
    """Let a question run.

    Raises:
        CostlyError: it would read more than the setting `ask_above_bytes`, and nobody said yes.
    """
    limit, question = settings().ask_above_bytes, (payer, query.sql, tuple(query.parameters.items()))
    if (n_bytes or 0) <= limit:
        return
    with _lock:
        if question in _approved:
            _approved.remove(question)
            return
    raise CostlyError(query.question, query.sql, n_bytes or 0, limit, question)
