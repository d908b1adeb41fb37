"""Garbage is collected now and then for all sessions together, and not after each click of each.

Streamlit would collect after every drawing, while nobody else is served. A collection takes longer the more is open: on
Evaluate it was a quarter of what a step of the slider costs the server.
"""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

SECONDS = 2.0


@asynccontextmanager
async def collected_now_and_then(seconds: float = SECONDS) -> AsyncIterator[None]:
    """Collect garbage every so many seconds in which something was made."""
    task = asyncio.create_task(_collect(seconds))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _collect(seconds: float) -> None:
    before: tuple[int, ...] | None = None
    while True:
        await asyncio.sleep(seconds)
        if _made() != before:
            gc.collect()
            before = _made()


def _made() -> tuple[int, ...]:
    """Return what changes once hundreds of objects have been made, and stays where a server has nothing to do."""
    return gc.get_count()[1:]
