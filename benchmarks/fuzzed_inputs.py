"""Ten thousand damaged inputs: names, tables, archives, pictures, models, records, settings, each let in by its door.

Each must end as an answer or as a sentence, within 30 s, with less than 2 GB of memory, and write nothing outside of
the workspace. Each door works in processes of its own, so that one that dies is told with what killed it.

    python benchmarks/fuzzed_inputs.py [INPUTS] [--keep] [--pieces FILE --seconds S]
"""

import argparse
import base64
import multiprocessing
import pickle
import resource
import sys
import time
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fuzzed_doors import DOORS, attempt
from hypothesis import HealthCheck, Phase, given, settings
from in_pieces import MORE_TO_DO, Pieces, add_options
from measured import keep

INPUTS = 10_000
MOST_SECONDS, MOST_BYTES = 30.0, 2_000_000_000
_PART = 100


def main() -> None:
    """Let all of them in, print and keep what came of them; exit status 1 where one was neither answer nor sentence."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("inputs", type=int, nargs="?", default=INPUTS)
    parser.add_argument("--keep", action="store_true")
    add_options(parser)
    chosen = parser.parse_args()
    each, pieces = -(-chosen.inputs // len(DOORS)), Pieces(chosen, {})
    for part, start in enumerate(range(0, each, _PART)):
        for place, door in enumerate(DOORS):
            row = pieces.done.setdefault(door.name, _nothing())
            if row["parts"] > part:
                continue
            if pieces.is_time_up:
                _say(pieces.done)
                sys.exit(MORE_TO_DO)
            _through(place, start, min(_PART, each - start), row)
            row["parts"] = part + 1
            pieces.keep()
    bad = _say(pieces.done)
    if chosen.keep:
        print(f"kept in {keep('fuzzed_inputs', _result(pieces.done))}")
    sys.exit(1 if bad else 0)


def _nothing() -> dict[str, Any]:
    figures = {"parts": 0, "inputs": 0, "answers": 0, "sentences": 0, "longest_seconds": 0.0, "most_megabytes": 0}
    return {**figures, "kinds": [], "faults": []}


def _say(rows: dict[str, dict[str, Any]]) -> int:
    """Print what came of each door so far, and return how many of them did not hold."""
    for name, row in rows.items():
        sentences = f"{row['sentences']} sentences of {len(row['kinds'])} kinds"
        limits = f"longest {row['longest_seconds']} s, {row['most_megabytes']} MB"
        print(f"{name}: {row['inputs']} inputs, {row['answers']} answers, {sentences}, {limits}")
        for fault in row["faults"]:
            print(f"  FAULT {fault['what']}\n  {fault['input'][:300]}")
    result = _result(rows)
    print(f"{result['inputs']} inputs, {result['faults']} faults", flush=True)
    slow_or_large = [
        row
        for row in rows.values()
        if row["longest_seconds"] > MOST_SECONDS or row["most_megabytes"] * 1e6 > MOST_BYTES
    ]
    return int(result["faults"]) + len(slow_or_large)


def _result(rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    doors = [{"door": name} | row | {"kinds": len(row["kinds"])} for name, row in rows.items()]
    inputs, faults = sum(row["inputs"] for row in rows.values()), sum(len(row["faults"]) for row in rows.values())
    return {"inputs": inputs, "faults": faults, "doors": doors}


def _through(place: int, seed: int, inputs: int, row: dict[str, Any]) -> None:
    """Let some inputs in by a door, in a process of their own, and add what came of them to its row."""
    ours, theirs = (context := multiprocessing.get_context("spawn")).Pipe(duplex=False)
    child = context.Process(target=_part, args=(place, seed, inputs, theirs))
    child.start()
    theirs.close()
    last = ""
    while True:
        try:
            what, value = ours.recv()
        except EOFError:
            break
        if what == "input":
            last = value
            row["inputs"] += 1
        elif what == "fault":
            row["faults"].append({"what": value, "input": last})
        elif what == "peak":
            row["most_megabytes"] = max(row["most_megabytes"], round(value / 1e6))
        else:
            seconds, said = value
            row["longest_seconds"] = max(row["longest_seconds"], round(seconds, 2))
            row["answers" if said == "answer" else "sentences"] += 1
            if said != "answer":
                row["kinds"] = sorted({*row["kinds"], " ".join(said.split()[:5])})
    child.join()
    if child.exitcode:
        row["faults"].append({"what": f"the process ended with {child.exitcode}", "input": last})


def _part(place: int, seed: int, inputs: int, told: Connection) -> None:
    import hypothesis

    door = DOORS[place]

    @hypothesis.seed(seed)
    @settings(
        max_examples=inputs,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=[*HealthCheck],
    )
    @given(door.inputs)
    def tried(value: Any) -> None:
        told.send(("input", base64.b64encode(pickle.dumps(value)).decode()))
        start = time.monotonic()
        try:
            said = attempt(door, value)
        except Exception:
            told.send(("fault", traceback.format_exc(limit=-4)))
            return
        told.send(("done", (time.monotonic() - start, said)))

    tried()
    told.send(("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))


if __name__ == "__main__":
    main()
