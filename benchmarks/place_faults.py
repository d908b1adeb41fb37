"""Thirty faults of runs at places, on a real Slurm and a real Ray of this machine, spread over their kinds.

Ten seconds after everything answers again each status must be the true one, and no row of figures may be lost or
doubled (`tests/runs/places/place_faults.py`). It mounts small disks, so it needs root.

    python benchmarks/place_faults.py [FAULTS] [--keep] [--pieces FILE --seconds S]
"""

import argparse
import contextlib
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from in_pieces import MORE_TO_DO, Pieces, add_options
from measured import keep

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "runs"), str(TESTS / "runs" / "places")]

FAULTS, SEED = 30, 20191
_DISK = "60m"


def main() -> int:
    """Do them, print what came of each, and return the exit status: 1 where one left something wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faults", type=int, nargs="?", default=FAULTS)
    parser.add_argument("--keep", action="store_true")
    add_options(parser)
    chosen = parser.parse_args()
    pieces = Pieces(chosen, {"faults": [], "seed": SEED})
    done: list[dict[str, Any]] = pieces.done["faults"]
    # Two of three on Slurm, where a run outlives the controller.
    for kind, share in (
        ("slurm", range(chosen.faults * 2 // 3)),
        ("ray", range(chosen.faults * 2 // 3, chosen.faults)),
    ):
        if share.start <= len(done) < share.stop and not pieces.is_time_up:
            with _site(kind) as site:
                while len(done) < share.stop and not pieces.is_time_up:
                    done.append(_one(kind, len(done), site))
                    pieces.keep()
    wrong = [fault for fault in done if fault["wrong"]]
    print(f"{len(done)} faults, {len(wrong)} of them left something wrong")
    if len(done) < chosen.faults:
        return MORE_TO_DO
    if chosen.keep:
        print(f"kept in {keep('place_faults', pieces.done | {'n': len(done), 'n_wrong': len(wrong)})}")
    return 1 if wrong else 0


def _one(kind: str, number: int, site: Any) -> dict[str, Any]:
    from place_faults import FAULTS as KINDS

    fault = KINDS[number % len(KINDS)]
    try:
        wrong = fault(site, random.Random(f"{SEED} {number}"))
    except AssertionError as error:
        wrong = [str(error)]
    print(f"{number + 1} {kind} {fault.__name__}: {'; '.join(wrong) or 'all true'}", flush=True)
    return {"place": kind, "fault": fault.__name__, "wrong": wrong}


@contextlib.contextmanager
def _site(kind: str) -> Iterator[Any]:
    """Yield a place of its own, whose disks, here and there, are small ones."""
    from described_places import describe_cluster
    from place_faults import Site
    from ray_head import RayHead
    from slurm_cluster import SlurmCluster

    with tempfile.TemporaryDirectory(prefix="place-faults-") as text, contextlib.ExitStack() as to_close:
        base = Path(text)
        for name in ("home", "shared", "cluster"):
            (base / name).mkdir()
        for name in ("home", "shared"):
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_DISK}", "none", str(base / name)], check=True)
            to_close.callback(subprocess.run, ["umount", "--lazy", str(base / name)], check=False)
        os.environ |= {
            **{"CXR_HOME": str(base / "home"), "CXR_CONFIG": str(base / "cxr.toml"), "CXR_HEARTBEAT": "0.2"},
            **{"CXR_CANCEL_GRACE": "1", "CXR_SHARED_DISK_LAG": "2"},
            "PYTHONPATH": os.pathsep.join([str(TESTS / "runs" / "fake_kinds"), str(TESTS.parent)]),
        }
        engine: Any = SlurmCluster(base / "cluster") if kind == "slurm" else RayHead()
        to_close.callback(engine.stop)
        engine.start()
        clock = {"FAKE_CLOCK": str(base / "clock")}
        if kind == "slurm":
            os.environ["SLURM_CONF"] = str(engine.configuration)
            describe_cluster(base, clock, kind='"slurm"')
        else:
            describe_cluster(base, clock, kind='"ray"', address=f'"{engine.address}"')
        yield Site(engine, base / "shared", base / "clock")


if __name__ == "__main__":
    sys.exit(main())
