"""Trains demo models over a grid of view, policy and seed with the product's own commands, each one once.

Every worker has a workspace of its own with the same demo source, because one workspace trains one run a device.
A model that a workspace already has is not trained again, so a grid that was broken off goes on where it stood. With
a time after which to stop, a training that is under way is cancelled then and resumed by the next call, to the bit.
"""

import json
import math
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from cxr_core.training.weights_file import read_info

EPOCHS = 5
POLICIES = ("ignore", "negative", "positive", "hybrid")
#: The policy whose u are the shares that the demo's readers call present among the uncertain images of valid.
FROM_READINGS = "from-readings"
#: Policy -> how the command line is told of it, where that says more: `estimated` looks at one of the shipped models.
SPELLED = {"estimated": "estimated:densenet_frontal_u0_0__w0_0"}
#: Each look starts a process of its own.
_LOOK_SECONDS = 6.0


@dataclass(frozen=True)
class Cell:
    """One model of the grid."""

    view: str
    policy: str
    seed: int

    @property
    def name(self) -> str:
        """The model's name in the workspace of the grid."""
        return f"{self.view}_{self.policy}_seed{self.seed}"


@dataclass(frozen=True)
class Trained:
    """Where a trained model lies, how long its training took, and the policy that it was trained (or ended) with."""

    cell: Cell
    home: Path
    seconds: float
    policy: dict[str, Any]

    @property
    def weights(self) -> Path:
        """The weights that the run left as a model of the demo source."""
        return self.home / "sources/demo/models" / f"{self.cell.name}.h5"

    @property
    def predictions(self) -> Path:
        """The prediction table of the model on the valid and test records."""
        return self.home / "sources/demo/predictions" / f"{self.cell.name}_predictions.parquet"


def cxr(home: Path, *arguments: str, threads: int = 0) -> Any:
    """Run one command of the product in a workspace and return its JSON; its error ends the program."""
    limits = {"TF_NUM_INTRAOP_THREADS": str(threads), "TF_NUM_INTEROP_THREADS": str(threads)} if threads else {}
    done = subprocess.run(
        [sys.executable, "-m", "cxr_core", *arguments, "--json"],
        env=os.environ | limits | {"CXR_HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(arguments)}: exit status {done.returncode}")
    return json.loads(done.stdout)


def nothing_more(trained: Trained) -> None:
    """Do nothing with a model that is ready."""


def train_grid(
    cells: Sequence[Cell],
    folder: Path,
    workers: int = 2,
    threads: int = 1,
    ready: Callable[[Trained], None] = nothing_more,
    seconds: float = math.inf,
) -> list[Trained]:
    """Train every cell and predict with it on valid and test, in their order; return those that are done.

    Args:
        cells: the models.
        folder: for the workspaces, and for what says which models they have.
        workers: how many trainings at a time.
        threads: of each training.
        ready: called with each model as it gets ready, or is found to be.
        seconds: after which what is under way is put off to the next call.
    """
    deadline = time.monotonic() + seconds
    homes: SimpleQueue[Path] = SimpleQueue()
    for number in range(workers):
        homes.put(_home(folder, number))

    def work(cell: Cell) -> Trained | None:
        home = homes.get()
        try:
            trained = _trained(cell, home, folder, threads, deadline)
            if trained is not None:
                ready(trained)
            return trained
        finally:
            homes.put(home)

    with ThreadPoolExecutor(workers) as pool:
        return [one for one in pool.map(work, cells) if one is not None]


def _home(folder: Path, number: int) -> Path:
    """Return the workspace of a worker; the first builds the demo, the others have the same files."""
    home, first = folder / f"worker{number}", folder / "worker0"
    from_readings = folder / f"{FROM_READINGS}.toml"
    if number == 0 and not from_readings.exists():
        cxr(home, "demo")
        cxr(home, "meaning", "--dataset", "valid", "--write-policy", str(from_readings))
    elif not home.exists():
        shutil.copytree(first / "sources", home / "sources", copy_function=os.link)
    return home


def _trained(cell: Cell, home: Path, folder: Path, threads: int, deadline: float) -> Trained | None:
    """Return the model of a cell, None where it is put off."""
    kept = folder / "trained" / f"{cell.name}.json"
    if kept.exists():
        record = json.loads(kept.read_text())
        return Trained(cell, Path(record["home"]), record["seconds"], record["policy"])
    begun = folder / "begun" / f"{cell.name}.json"
    if begun.exists():
        home = Path(json.loads(begun.read_text())["home"])
    if time.monotonic() >= deadline:
        return None
    started = time.monotonic()
    run = _run_of(cell, home, folder, threads, begun)
    while run["status"] in ("queued", "running"):
        time.sleep(_LOOK_SECONDS)
        late = time.monotonic() >= deadline
        run = cxr(home, "runs", "cancel" if late else "show", run["run"], threads=threads)
        if late and run["status"] == "cancelled":
            _noted(begun, time.monotonic() - started)
            return None
    if run["status"] != "completed":
        sys.exit(f"{cell.name}: {run['reason'] or run['status']}")
    cxr(home, "predict", "--model", cell.name, threads=threads)
    seconds = _noted(begun, time.monotonic() - started)
    print(f"{cell.name}: trained in {seconds:.0f} s", file=sys.stderr, flush=True)
    trained = Trained(cell, home, seconds, {})
    record = {"home": str(home), "seconds": seconds, "policy": read_info(trained.weights).policy or {}}
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(record))
    return replace(trained, policy=record["policy"])


def _noted(begun: Path, seconds: float) -> float:
    """Add the seconds of a piece of a training to those before, and return all."""
    known = json.loads(begun.read_text())
    known["seconds"] += seconds
    begun.write_text(json.dumps(known))
    return float(known["seconds"])


def _run_of(cell: Cell, home: Path, folder: Path, threads: int, begun: Path) -> Any:
    """Start the training of a cell, or resume what is left of it, and return its run."""
    if begun.exists():
        run = cxr(home, "runs", "show", json.loads(begun.read_text())["run"], threads=threads)
        is_left = run["status"] in ("cancelled", "failed")
        return cxr(home, "runs", "resume", run["run"], threads=threads) if is_left else run
    is_file = cell.policy == FROM_READINGS
    policy = str(folder / f"{FROM_READINGS}.toml") if is_file else SPELLED.get(cell.policy, cell.policy)
    options = {"view": cell.view, "policy": policy, "seed": cell.seed, "epochs": EPOCHS, "name": cell.name}
    arguments = [part for key, value in options.items() for part in (f"--{key}", str(value))]
    run = cxr(home, "train", *arguments, "--detach", threads=threads)
    begun.parent.mkdir(parents=True, exist_ok=True)
    begun.write_text(json.dumps({"home": str(home), "run": run["run"], "seconds": 0.0}))
    return run
