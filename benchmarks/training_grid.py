"""Trains demo models over a grid of view, policy and seed with the product's own commands, each one once.

Every worker has a workspace of its own with the same demo source, because one workspace trains one run a device.
A model that a workspace already has is not trained again, so a grid that was broken off goes on where it stood.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

EPOCHS = 5
POLICIES = ("ignore", "negative", "positive", "hybrid")


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
    """Where a trained model lies, and how long its training took."""

    cell: Cell
    home: Path
    seconds: float

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


def train_grid(cells: Sequence[Cell], folder: Path, workers: int = 2) -> list[Trained]:
    """Train every cell and predict with it on valid and test; `workers` at a time, one core each."""
    homes: SimpleQueue[Path] = SimpleQueue()
    for number in range(workers):
        homes.put(_home(folder / f"worker{number}"))

    def work(cell: Cell) -> Trained:
        home = homes.get()
        try:
            return _train(cell, home, folder)
        finally:
            homes.put(home)

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(work, cells))


def _home(home: Path) -> Path:
    cxr(home, "demo")
    return home


def _train(cell: Cell, home: Path, folder: Path) -> Trained:
    kept = folder / "trained" / f"{cell.name}.json"
    if kept.exists():
        record = json.loads(kept.read_text())
        return Trained(cell, Path(record["home"]), record["seconds"])
    started = time.monotonic()
    options = {"view": cell.view, "policy": cell.policy, "seed": cell.seed, "epochs": EPOCHS, "name": cell.name}
    arguments = [part for key, value in options.items() for part in (f"--{key}", str(value))]
    cxr(home, "train", *arguments, threads=1)
    seconds = time.monotonic() - started
    cxr(home, "predict", "--model", cell.name, threads=1)
    print(f"{cell.name}: trained in {seconds:.0f} s", file=sys.stderr, flush=True)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps({"home": str(home), "seconds": seconds}))
    return Trained(cell, home, seconds)
