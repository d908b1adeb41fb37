"""Ten thousand damaged inputs: names, tables, archives, pictures, models, records, settings, each let in by its door.

Each must end as an answer or as a sentence, within 30 s, with less than 2 GB of memory, and write nothing outside of
the workspace. Each door works in a process of its own, so that one that dies is told with what killed it.

    python benchmarks/fuzzed_inputs.py [INPUTS] [--keep]
"""

import base64
import multiprocessing
import pickle
import resource
import sys
import time
import traceback
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fuzzed_doors import DOORS, attempt
from hypothesis import HealthCheck, Phase, given, settings
from measured import keep

INPUTS = 10_000
MOST_SECONDS, MOST_BYTES = 30.0, 2_000_000_000
_PART = 100


def main() -> None:
    """Let all of them in, print and keep what came of them; exit status 1 where one was neither answer nor sentence."""
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    each = -(-(numbers[0] if numbers else INPUTS) // len(DOORS))
    rows = []
    for place, door in enumerate(DOORS):
        row = _through(place, each)
        rows.append({"door": door.name} | row)
        said = f"{row['inputs']} inputs, {row['answers']} answers, {row['sentences']} sentences of {row['kinds']} kinds"
        print(f"{door.name}: {said}, longest {row['longest_seconds']} s, {row['most_megabytes']} MB", flush=True)
        for fault in row["faults"]:
            print(f"  FAULT {fault['what']}\n  {fault['input'][:300]}", flush=True)
    bad = [row for row in rows if row["faults"] or row["longest_seconds"] > MOST_SECONDS]
    bad += [row for row in rows if row["most_megabytes"] * 1e6 > MOST_BYTES]
    result = {"inputs": sum(row["inputs"] for row in rows), "faults": sum(len(row["faults"]) for row in rows)}
    print(f"{result['inputs']} inputs, {result['faults']} faults")
    if "--keep" in sys.argv:
        print(f"kept in {keep('fuzzed_inputs', result | {'doors': rows})}")
    sys.exit(1 if bad else 0)


def _through(place: int, each: int) -> dict[str, Any]:
    """Let `each` inputs in by a door, in processes of some hundred each, and return what came of them."""
    total: Counter[str] = Counter()
    kinds: set[str] = set()
    faults: list[dict[str, str]] = []
    longest, most, context = 0.0, 0, multiprocessing.get_context("spawn")
    for part in range(0, each, _PART):
        ours, theirs = context.Pipe(duplex=False)
        child = context.Process(target=_part, args=(place, part, min(_PART, each - part), theirs))
        child.start()
        theirs.close()
        last = ""
        while True:
            try:
                what, value = ours.recv()
            except EOFError:
                break
            if what == "input":
                last, total["inputs"] = value, total["inputs"] + 1
            elif what == "fault":
                faults.append({"what": value, "input": last})
            elif what == "peak":
                most = max(most, value)
            else:
                seconds, said = value
                longest = max(longest, seconds)
                total["answers" if said == "answer" else "sentences"] += 1
                kinds.add(" ".join(said.split()[:5]))
        child.join()
        if child.exitcode:
            faults.append({"what": f"the process ended with {child.exitcode}", "input": last})
    return {
        "inputs": total["inputs"],
        "answers": total["answers"],
        "sentences": total["sentences"],
        "kinds": len(kinds - {"answer"}),
        "longest_seconds": round(longest, 2),
        "most_megabytes": round(most / 1e6),
        "faults": faults,
    }


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
