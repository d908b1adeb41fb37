"""A thousand SIGKILLs at random moments: of workers, supervisors, dashboards, of what starts runs and stores verdicts,
and at a place (a Slurm of this machine, where it is installed) of what looks after a run and of what works there.

Each must leave true statuses within ten seconds, no row lost or doubled and no verdict lost
(`tests/runs/kill_rounds.py`, `tests/runs/places/kills_at_a_place.py`). What a training goes on with afterwards is in
`kill_series.py`, faults of another kind in `faults.py`.

    python benchmarks/kills.py [KILLS] [--keep] [--pieces FILE --seconds S]
"""

import argparse
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from in_pieces import MORE_TO_DO, Pieces, add_options
from measured import keep

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "runs"), str(TESTS / "runs" / "places")]

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
    """Do so many in one workspace, each of the kind of victim that had the fewest so far."""
    from kill_rounds import VICTIMS
    from small_demo import build_small_demo

    done = pieces.done
    draw = random.Random(f"{SEED} {_count(done)}")
    with tempfile.TemporaryDirectory(prefix="kills-") as folder, _place(Path(folder)) as victims_there:
        victims = VICTIMS | victims_there
        os.environ |= {"CXR_HOME": f"{folder}/home", "CXR_CONFIG": f"{folder}/cxr.toml"}
        build_small_demo(Path(folder) / "home")
        for _ in range(kills):
            if pieces.is_time_up:
                return
            name = min(victims, key=lambda name: done["kills"].get(name, 0))
            kill = victims[name](draw)
            done["kills"][name] = done["kills"].get(name, 0) + 1
            done["wrong"] += [f"{name} after {kill.seconds:.2f} s: {what}" for what in kill.wrong]
            pieces.keep()


@contextmanager
def _place(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the victims at a place, which is there meanwhile; none where Slurm is not installed."""
    from described_places import describe_cluster
    from kills_at_a_place import VICTIMS_AT_A_PLACE
    from slurm_cluster import SlurmCluster, why_not

    if reason := why_not():
        print(f"nothing is killed at a place: {reason}")
        yield {}
        return
    (folder / "slurm").mkdir()
    cluster = SlurmCluster(folder / "slurm")
    try:
        cluster.start()
        os.environ["SLURM_CONF"] = str(cluster.configuration)
        describe_cluster(folder, kind='"slurm"')
        yield VICTIMS_AT_A_PLACE
    finally:
        cluster.stop()


def _count(done: dict[str, Any]) -> int:
    return sum(done["kills"].values())


def _path() -> str:
    return os.pathsep.join([str(TESTS / "runs" / "fake_kinds"), str(TESTS.parent), os.environ.get("PYTHONPATH", "")])


if __name__ == "__main__":
    sys.exit(main())
