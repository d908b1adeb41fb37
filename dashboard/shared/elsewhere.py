"""Which questions are computed in a process of their own: long ones, while somebody else uses the pages.

Whoever is alone would only wait for what goes from one process to the other.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from streamlit.runtime.scriptrunner import get_script_run_ctx

from cxr_core.settings import settings

#: Seconds after its last question for which a session counts as being used.
_USED_SECONDS = 60.0
_asked_at: dict[str, float] = {}
_lock = threading.Lock()


def leaves(task: Callable[..., Any], size: int) -> bool:
    """Say whether a question about tables of so many bytes is computed elsewhere, and note that this session asks.

    What pages put together of several answers stays: its parts are asked one by one.
    """
    alone = _is_alone()
    is_the_engines = task.__module__.startswith("cxr_core.")
    return is_the_engines and not alone and size >= settings().elsewhere_from


def _is_alone() -> bool:
    session, now = get_script_run_ctx(suppress_warning=True), time.monotonic()
    with _lock:
        if session is not None:
            _asked_at[session.session_id] = now
        for gone in [one for one, since in _asked_at.items() if now - since > _USED_SECONDS]:
            del _asked_at[gone]
        return len(_asked_at) < 2
