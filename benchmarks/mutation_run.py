"""Which small faults would the nearest tests not see? cosmic-ray puts them into a copy of the code, one by one.

    python benchmarks/mutation_run.py [--faults N] [--minutes M] [--seed S] [--only evaluation/curves] [--processes P]

A fault is a changed comparison, operator, number, condition, loop or decorator. Of the faults of one kind on one line
only one is drawn, of all of those `--faults` at random. Each runs against the nearest tests of its module
(`nearest_tests.py`), without those of a browser, of TensorFlow, or that need a demo, processes or seconds. A fault
that changes nothing anybody could see stands with its reason in `equivalent_faults.json`. About 5 s a fault.

cosmic-ray changes no text and leaves out no statement: faults in SQL and forgotten calls need tests of their own.
"""

import argparse
import ast
import compileall
import json
import os
import py_compile
import random
import shlex
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cosmic_ray.commands import init as enumerate_faults
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.testing import run_tests
from cosmic_ray.work_db import WorkDB
from cosmic_ray.work_item import MutationSpec, TestOutcome
from measured import keep
from nearest_tests import NEAREST

ROOT = Path(__file__).parents[1]
SEED = 2026
FAULTS = 200
MINUTES = 60.0
FAST = "not browser and not tensorflow and not slow"
#: A fault that makes the tests so many times slower than they are, and by so many seconds, is seen.
TIMES_SLOWER, SECONDS_SLOWER = 4, 20


@dataclass(frozen=True)
class Outcome:
    """What became of a fault: the line as it was and as it is, and whether the nearest tests saw it."""

    file: str
    line: int
    operator: str
    was: str
    now: str
    seen: bool


def possible_faults(only: str) -> list[MutationSpec]:
    """Return every fault that could be put into the modules whose path contains `only`."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        work = WorkDB(Path(folder) / "faults.sqlite", WorkDB.Mode.create)
        enumerate_faults([Path(module) for module in NEAREST if only in module], work, {})
        found = [mutation for item in work.work_items for mutation in item.mutations]
        work.close()
    return [fault for fault in found if not _guards_only(fault)]


def drawn(faults: list[MutationSpec], count: int, seed: int) -> list[MutationSpec]:
    """Return `count` faults at random, at most one of a kind on a line."""
    draw = random.Random(seed)
    groups: dict[tuple[str, int, str], list[MutationSpec]] = {}
    for fault in sorted(faults, key=lambda one: (str(one.module_path), one.operator_name, one.occurrence)):
        groups.setdefault((str(fault.module_path), fault.start_pos[0], _kind(fault)), []).append(fault)
    one_each = [draw.choice(group) for group in groups.values()]
    return draw.sample(one_each, min(count, len(one_each)))


def _kind(fault: MutationSpec) -> str:
    """Return `ReplaceBinaryOperator` of `core/ReplaceBinaryOperator_Add_Sub`."""
    return fault.operator_name.removeprefix("core/").split("_")[0]


def _guards_only(fault: MutationSpec) -> bool:
    """Say whether a fault would change what no behaviour shows: a type, an option of a decorator, a `strict=`."""
    line, column = fault.start_pos
    return any(start <= (line, column) < end for start, end in _guards(str(fault.module_path)))


@cache
def _guards(module: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    nodes: list[Any] = []
    for node in ast.walk(ast.parse((ROOT / module).read_text())):
        nodes += [getattr(node, name, None) for name in ("annotation", "returns")]
        decorators = getattr(node, "decorator_list", [])
        nodes += [keyword.value for one in decorators if isinstance(one, ast.Call) for keyword in one.keywords]
        nodes += [node.value] if isinstance(node, ast.keyword) and node.arg == "strict" else []
    spans = [node for node in nodes if isinstance(node, ast.expr)]
    return [((node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)) for node in spans]


def work_in_a_copy() -> None:
    """Copy code and tests to a temporary folder and work there: the project's own files are never touched."""
    folder = Path(tempfile.mkdtemp(prefix="faults-", dir=os.environ["FAULTS_FOLDER"]))
    for name in ("cxr_core", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "browser"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    # By the content, so that a changed file is never taken for the one before.
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    compileall.compile_dir(folder, quiet=2, invalidation_mode=mode)
    os.chdir(folder)
    os.environ["PYTHONPATH"] = str(folder)


def tried(fault: MutationSpec) -> Outcome:
    """Put a fault into the copy, run the nearest tests, and take it out again."""
    command = _command(str(fault.module_path))
    result = mutate_and_test([fault], command, TIMES_SLOWER * _usual_seconds(command) + SECONDS_SLOWER)
    if result.test_outcome not in (TestOutcome.KILLED, TestOutcome.SURVIVED):
        raise RuntimeError(f"{fault}: {result.output}")
    was, now = _changed_lines(result.diff or "")
    seen = result.test_outcome == TestOutcome.KILLED
    operator = fault.operator_name.removeprefix("core/")
    return Outcome(str(fault.module_path), fault.start_pos[0], operator, was, now, seen)


def _command(module: str) -> str:
    options = ["-x", "-q", "-p", "no:cacheprovider", "-m", FAST]
    return shlex.join([sys.executable, "-m", "pytest", *options, *NEAREST[module]])


@cache
def _usual_seconds(command: str) -> float:
    since = time.monotonic()
    outcome, output = run_tests(command, timeout=600)
    if outcome != TestOutcome.SURVIVED:
        raise RuntimeError(f"Without a fault the tests must pass: {command}\n{output}")
    return time.monotonic() - since


def _changed_lines(diff: str) -> tuple[str, str]:
    """Return the lines that a difference takes away, and those that it puts in their place."""
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    was, now = ([line[1:].strip() for line in lines if line.startswith(sign)] for sign in "-+")
    return " ".join(was), " ".join(now)


def equivalents() -> dict[tuple[str, str, str], str]:
    """Return why some faults change nothing: (file, line as it was, line as it is) -> reason."""
    kept = json.loads((Path(__file__).parent / "equivalent_faults.json").read_text())
    return {(one["file"], one["was"], one["now"]): one["why"] for one in kept}


def summary(outcomes: list[Outcome]) -> dict[str, Any]:
    """Return the counts of each room, the faults that were not seen, and those that change nothing with the reason."""
    known = equivalents()
    unseen = [one for one in outcomes if not one.seen]
    why = {one: known[one.file, one.was, one.now] for one in unseen if (one.file, one.was, one.now) in known}
    survived = [one for one in unseen if one not in why]
    killed = [one for one in outcomes if one.seen]
    groups = {"tested": outcomes, "killed": killed, "survived": survived, "equivalent": list(why)}
    tally = {name: Counter(map(_room, those)) for name, those in groups.items()}
    rooms = {room: {name: tally[name][room] for name in tally} for room in sorted(tally["tested"])}
    return {
        **{name: sum(counts.values()) for name, counts in tally.items()},
        "rooms": rooms,
        "survivors": [_told(one) for one in survived],
        "equivalents": [_told(one) | {"why": reason} for one, reason in why.items()],
    }


def _room(outcome: Outcome) -> str:
    return str(Path(outcome.file).parent) if outcome.file.count("/") > 1 else outcome.file


def _told(outcome: Outcome) -> dict[str, Any]:
    return {name: getattr(outcome, name) for name in ("file", "line", "operator", "was", "now")}


def results(faults: list[MutationSpec], processes: int, minutes: float) -> Iterator[Outcome]:
    """Try as many faults as the minutes allow, each process in a copy of its own, and print what became of each."""
    until = time.monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory(prefix="cxr-faults-") as folder:
        os.environ["FAULTS_FOLDER"] = folder
        with ProcessPoolExecutor(processes, initializer=work_in_a_copy) as pool:
            for number, outcome in enumerate(pool.map(tried, faults), 1):
                print(f"{number}/{len(faults)} {'seen' if outcome.seen else 'NOT SEEN'} {_told(outcome)}", flush=True)
                yield outcome
                if time.monotonic() > until:
                    pool.shutdown(cancel_futures=True)
                    return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faults", type=int, default=FAULTS, help=f"how many faults to draw, default {FAULTS}")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="no further fault after so many minutes")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", default="", help="only modules whose path contains this; nothing is kept then")
    parser.add_argument("--processes", type=int, default=1)
    chosen = parser.parse_args()
    os.chdir(ROOT)
    possible = possible_faults(chosen.only)
    faults = drawn(possible, chosen.faults, chosen.seed)
    found = summary(list(results(faults, chosen.processes, chosen.minutes)))
    settings = {"tool": "cosmic-ray", "seed": chosen.seed, "drawn": len(faults), "possible": len(possible)}
    print(json.dumps(found, indent=1))
    if not chosen.only:
        print(f"kept in {keep('mutation_run', {'settings': settings} | found)}")


if __name__ == "__main__":
    main()
