"""A thousand SIGKILLs at random moments: of workers, supervisors, dashboards, of what starts runs, stores verdicts and
looks after runs at places.

Each must leave true statuses within ten seconds, no row lost or doubled and no verdict lost
(`tests/runs/kill_rounds.py`). What a training goes on with afterwards is in `kill_series.py`, faults of another kind in
`faults.py`.

    python benchmarks/kills.py [KILLS] [--keep] [--pieces FILE --seconds S]
"""

import argparse
import os
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

from in_pieces import MORE_TO_DO, Pieces, add_options
from measured import keep

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "runs")]

KILLS, SEED = 1000, 20191
#: So many in one workspace: its list of runs is looked through after each.
_TOGETHER = 40


def main() -> int:
    """Do them, print what came of each kind of victim, and return the exit status: 1 where one left something wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kills", type=int, nargs="?", default=KILLS)
    parser.add_argument("--keep", action="store_true")
    add_options(parser)
    chosen = parser.parse_args()
    pieces = Pieces(chosen, {"kills": {}, "wrong": [], "seed": SEED})
    os.environ |= {"CXR_HEARTBEAT": "0.2", "CXR_CANCEL_GRACE": "1", "PYTHONPATH": _path()}
    while (left := chosen.kills - _count(pieces.done)) > 0 and not pieces.is_time_up:
        _together(min(left, _TOGETHER), pieces)
        print(f"{_count(pieces.done)} kills, {len(pieces.done['wrong'])} things wrong", flush=True)
    print("\n".join(pieces.done["wrong"]))
    if left > 0:
        return MORE_TO_DO
    if chosen.keep:
        print(f"kept in {keep('kills', pieces.done)}")
    return 1 if pieces.done["wrong"] else 0


def _together(kills: int, pieces: Pieces) -> None:
    """Do so many in one workspace, one kind of victim after the other."""
    from kill_rounds import VICTIMS
    from small_demo import build_small_demo

    done = pieces.done
    draw = random.Random(f"{SEED} {_count(done)}")
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        os.environ["CXR_HOME"] = folder
        build_small_demo(Path(folder))
        for _ in range(kills):
            if pieces.is_time_up:
                return
            kill = VICTIMS[_count(done) % len(VICTIMS)](draw)
            done["kills"][kill.victim] = done["kills"].get(kill.victim, 0) + 1
            done["wrong"] += [f"{kill.victim} after {kill.seconds:.2f} s: {what}" for what in kill.wrong]
            pieces.keep()


def _count(done: dict[str, Any]) -> int:
    return sum(done["kills"].values())


def _path() -> str:
    return os.pathsep.join([str(TESTS / "runs" / "fake_kinds"), os.environ.get("PYTHONPATH", "")])


if __name__ == "__main__":
    sys.exit(main())
