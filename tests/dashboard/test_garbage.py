"""Garbage of all sessions is collected now and then, and not while a server has nothing to do."""

import asyncio
import gc
import weakref

from dashboard.garbage import collected_now_and_then


class Ring:
    def __init__(self):
        self.self = self


def test_what_was_made_and_left_is_collected_within_the_time():
    async def left_alone():
        async with collected_now_and_then(0.05):
            ring = Ring()
            gc.collect()  # it is old now: only a whole collection finds it
            found = weakref.ref(ring)
            del ring
            kept = [[] for _ in range(5000)]  # as a drawing makes
            for _ in range(100):
                await asyncio.sleep(0.05)
                if found() is None:
                    return len(kept)
        return None

    assert asyncio.run(left_alone())


def test_nothing_more_is_collected_where_nothing_was_made(monkeypatch):
    collected = []
    monkeypatch.setattr("dashboard.garbage._made", lambda: (3, 1))
    monkeypatch.setattr("dashboard.garbage.gc.collect", lambda: collected.append(1))

    async def idle():
        async with collected_now_and_then(0.01):
            await asyncio.sleep(0.2)

    asyncio.run(idle())
    assert collected == [1]
