"""A thousand SIGKILLs at random moments: of workers, supervisors, of what starts runs, and of what stores verdicts.

Each must leave true statuses within ten seconds, no row lost or doubled and no verdict lost
(`tests/runs/kill_rounds.py`). What a training goes on with afterwards is in `kill_series.py`, faults of another kind in
`faults.py`.

    python benchmarks/kills.py [KILLS] [--keep]
"""

import os
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from measured import keep

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "runs")]

KILLS, SEED = 1000, 20191
#: So many in one workspace: its list of runs is looked through after each.
_TOGETHER = 40


def main(kills: int) -> int:
    """Do them, print what came of each kind of victim, and return how many left something wrong."""
    from kill_rounds import VICTIMS
    from small_demo import build_small_demo

    draw, done, wrong = random.Random(SEED), Counter[str](), list[str]()
    os.environ |= {"CXR_HEARTBEAT": "0.2", "CXR_CANCEL_GRACE": "1", "PYTHONPATH": _path()}
    for start in range(0, kills, _TOGETHER):
        with tempfile.TemporaryDirectory(prefix="kills-") as folder:
            os.environ["CXR_HOME"] = folder
            build_small_demo(Path(folder))
            for number in range(start, min(kills, start + _TOGETHER)):
                kill = VICTIMS[number % len(VICTIMS)](draw)
                done[kill.victim] += 1
                wrong += [f"{kill.victim} after {kill.seconds:.2f} s: {what}" for what in kill.wrong]
        print(f"{sum(done.values())} kills, {len(wrong)} things wrong", flush=True)
    print("\n".join(wrong))
    if "--keep" in sys.argv:
        print(f"kept in {keep('kills', {'kills': dict(done), 'wrong': wrong, 'seed': SEED})}")
    return len(wrong)


def _path() -> str:
    return os.pathsep.join([str(TESTS / "runs" / "fake_kinds"), os.environ.get("PYTHONPATH", "")])


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    sys.exit(1 if main(numbers[0] if numbers else KILLS) else 0)
