"""Fifty people at once on Evaluate, while one more asks again and again for figures of 372,000 images: does a click
stay quick?

    python benchmarks/fifty_sessions.py [--sessions 50] [--seconds 30] [--rounds 3] [--folder F] [--keep]

The people are web sockets (`tests/page_session.py`), which need a fraction of what browsers would. Each opens Evaluate
on the demo and then moves the slider, with a pause drawn at random before every step, on average `--pause` seconds.
What must hold: the 95th percentile of a step is less than 3 times that of one person alone, nothing fails, and the
server, with the process that computes for it, holds no more memory after the third fifty have left than after the
first. Less is kept of answers than one large question brings (`--kept-memory`), so that what is kept is full from the
first round on, and each large question is computed anew.
"""

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from look_alike import NAME, make
from measured import keep
from page_latency import serving

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from page_session import PageSession

MOST_TIMES = 3.0
MODEL = "densenet_frontal_u0_5__w0_25"
LABELS = ("edema", "fracture", "cardiomegaly", "pneumonia", "pleural_effusion", "atelectasis")
#: Memory after the last round above that after the first, as a share of it, that is still called flat.
MOST_GROWTH = 0.05
_REST = 15.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--pause", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=377_110)
    parser.add_argument("--kept-memory", type=int, default=100_000_000, help="bytes of the setting kept_memory")
    parser.add_argument("--folder", type=Path, help="of a workspace that has the demo and the look-alike, or gets them")
    parser.add_argument("--keep", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = (chosen.folder or Path(folder) / "workspace").absolute()
        environment = os.environ | {"CXR_HOME": str(home)}
        subprocess.run([sys.executable, "-m", "cxr_core", "demo"], env=environment, check=True, capture_output=True)
        if not (home / "sources" / NAME).exists():
            make(home, 3, chosen.images)
        served = environment | {"CXR_KEPT_MEMORY": str(chosen.kept_memory)}
        with serving([sys.executable, "-m", "dashboard"], served) as url:
            result = asyncio.run(measured(url, psutil.Process().children()[-1], chosen))
    for name, value in result.items():
        print(f"{name}: {value}")
    if chosen.keep:
        print(f"kept in {keep('fifty_sessions', result)}")
    return 0 if all(result["holds"].values()) else 1


async def measured(url: str, server: psutil.Process, chosen: argparse.Namespace) -> dict[str, Any]:
    await people(url, 1, 5, 0.3)  # what is asked first takes longer
    one = await people(url, 1, chosen.seconds, 0.5)
    rounds = []
    for number in range(chosen.rounds):
        cpu, start = busy(server), time.monotonic()
        heavy = asyncio.create_task(heavy_questions(url, number, start + chosen.seconds))
        many = await people(url, chosen.sessions, chosen.seconds, chosen.pause)
        passed = time.monotonic() - start
        answered, heavy_errors = await heavy
        await asyncio.sleep(_REST)
        computing = sum(child.memory_info().rss for child in server.children())
        rounds.append(
            summary(many)
            | {"cpu_share": round((busy(server) - cpu) / (passed + _REST), 2), "large_questions": answered}
            | {"heavy_errors": heavy_errors, "megabytes_after": round(server.memory_info().rss / 1e6)}
            | {"megabytes_of_its_processes": round(computing / 1e6)}
        )
        print(rounds[-1], flush=True)
    alone = summary(one)
    times = max(row["p95_ms"] for row in rounds) / alone["p95_ms"]
    first, last = (row["megabytes_after"] + row["megabytes_of_its_processes"] for row in (rounds[0], rounds[-1]))
    growth = last / first - 1
    errors = sum(len(row["errors"]) + len(row["heavy_errors"]) for row in [*rounds, alone | {"heavy_errors": []}])
    holds = {"p95": times < MOST_TIMES, "memory": growth < MOST_GROWTH, "errors": errors == 0}
    return {
        "sessions": chosen.sessions,
        "pause_seconds": chosen.pause,
        "images_of_the_heavy_question": chosen.images,
        "kept_memory": chosen.kept_memory,
        "one": alone,
        "rounds": rounds,
        "p95_times": round(times, 2),
        "growth": round(growth, 3),
        "holds": holds,
    }


async def people(url: str, count: int, seconds: float, pause: float) -> tuple[list[float], list[float], list[str]]:
    """Let so many people open Evaluate and move its slider; return seconds of openings, of steps, and errors."""
    opened: list[float] = []
    steps: list[float] = []
    errors: list[str] = []
    until = time.monotonic() + seconds

    async def person(number: int) -> None:
        draw = random.Random(number)
        await asyncio.sleep(draw.uniform(0, min(pause, seconds / 4)))
        try:
            query = {"model": MODEL, "label": LABELS[number % len(LABELS)]}
            session = await PageSession.opened(url, "evaluate", query)
            opened.append(await session.draw())
            while time.monotonic() + (wait := draw.expovariate(1 / pause)) < until:
                await asyncio.sleep(wait)
                steps.append(await session.move("Operating point", round(draw.uniform(0.05, 0.95), 2), "sensitivity"))
            await session.close()
            errors.extend(session.errors)
        except Exception as error:
            errors.append(f"{type(error).__name__}: {error}")

    await asyncio.gather(*(person(number) for number in range(count)))
    return opened, steps, errors


async def heavy_questions(url: str, first: int, until: float) -> tuple[int, list[str]]:
    """Open Evaluate on the training set of the look-alike until then, for another model each time.

    Returns how many such pages were drawn, and their errors.
    """
    drawn, errors = 0, []
    while time.monotonic() < until:
        query = {"source": NAME, "model": f"model{(first + drawn) % 3 + 1}", "dataset": "train", "judged-view": "all"}
        try:
            session = await PageSession.opened(url, "evaluate", query)
            await session.draw()
            await session.close()
            errors += session.errors
        except Exception as error:
            errors.append(f"{type(error).__name__}: {error}")
        drawn += 1
    return drawn, errors


def summary(found: tuple[list[float], list[float], list[str]]) -> dict[str, Any]:
    opened, steps, errors = found
    cuts = statistics.quantiles(steps, n=20)
    return {
        "steps": len(steps),
        "median_ms": round(statistics.median(steps) * 1000),
        "p95_ms": round(cuts[-1] * 1000),
        "longest_ms": round(max(steps) * 1000),
        "opening_median_ms": round(statistics.median(opened) * 1000),
        "errors": errors,
    }


def busy(server: psutil.Process) -> float:
    """Return the CPU seconds of a process so far."""
    spent = server.cpu_times()
    return spent.user + spent.system


if __name__ == "__main__":
    sys.exit(main())
