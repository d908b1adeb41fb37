"""Our training against the notebook's way, Keras `fit`, on the same network: time to the first loss, steps, memory.

Ours is the product's own command, `python -m cxr_core train`, from the start of the process to the row in the metrics;
the notebook's way a script from its start to the callback with the loss. Rounds are interleaved, medians are compared.
Each network is measured "alike" (full decoding, nothing cached) and "as shipped" (the defaults).

    python benchmarks/training_speed.py [FOLDER] [--rounds 3] [--networks densenet-small densenet121]
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from input_pipeline import demo_records
from measured import keep

#: network -> image size, batch size, steps that are timed
NETWORKS = {"densenet-small": (96, 32, 40), "densenet121": (96, 32, 20)}
#: What must hold: images a second over those of `fit`, either way, and seconds to the first loss over those of `fit`.
THROUGHPUT, FIRST_LOSS = 1.1, 0.45
WAYS = {"alike": ["--decode", "full", "--cache", "off"], "as shipped": []}
_LOOK_SECONDS = 0.02


@dataclass
class Measured:
    """One training: seconds to the first loss, median seconds of a step after the third, most memory in bytes."""

    first_loss: float = 0.0
    step: float = 0.0
    memory: int = 0


@dataclass
class Watch:
    """Looks at a process with all under it until enough steps are done."""

    process: subprocess.Popen[str]
    began: float
    times: Callable[[], list[float]]
    steps: int
    found: Measured = field(default_factory=Measured)

    def until_done(self) -> Measured:
        """Return what was seen, once the steps are done or the process has ended."""
        while len(self.times()) < self.steps and self.process.poll() is None:
            if not self.found.first_loss and self.times():
                self.found.first_loss = time.time() - self.began
            self.found.memory = max(self.found.memory, self._memory())
            time.sleep(_LOOK_SECONDS)
        ended = self.times()
        if len(ended) < self.steps:
            sys.exit(f"Only {len(ended)} of {self.steps} steps were done: {self.process.args}")
        gaps = [after - before for before, after in pairwise(ended[2:])]
        self.found.step = median(gaps)
        return self.found

    def _memory(self) -> int:
        """Return the resident bytes of the largest process: TensorFlow is in one alone."""
        sizes = [0]
        for process in [psutil.Process(self.process.pid), *_started_by_us()]:
            try:
                sizes.append(process.memory_info().rss)
            except psutil.Error:
                continue
        return max(sizes)


def _started_by_us() -> list[psutil.Process]:
    """Return our children and the processes of the run, whose supervisor has a session of its own."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        environment = process.info["environ"] or {}
        if environment.get("CXR_BENCHMARK") == str(os.getpid()):
            found.append(process)
    return found


def ours(home: Path, network: str, size: int, batch: int, steps: int, options: list[str]) -> Measured:
    """Train with the product until so many steps are done, then cancel."""
    runs = home / "runs"
    before = set(runs.glob("*"))
    arguments = ["--architecture", network, "--image-size", str(size), "--batch-size", str(batch), "--seed", "0"]
    command = [sys.executable, "-m", "cxr_core", "train", "--json", *arguments, *options]
    environment = os.environ | {"CXR_HOME": str(home), "CXR_BENCHMARK": str(os.getpid())}
    began = time.time()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def times() -> list[float]:
        rows = [row for folder in set(runs.glob("*")) - before for row in _rows(folder / "metrics.jsonl")]
        return [row["time"] for row in rows if "loss" in row]

    found = Watch(process, began, times, steps).until_done()
    (folder,) = set(runs.glob("*")) - before
    cancel = [sys.executable, "-m", "cxr_core", "runs", "cancel", folder.name, "--json"]
    subprocess.run(cancel, env=environment, stdout=subprocess.DEVNULL, check=False)
    process.communicate()
    return found


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in path.read_text().split("\n")[:-1]]
    except FileNotFoundError:
        return []


def notebook(files: list[Path], network: str, size: int, batch: int, steps: int) -> Measured:
    """Train with the notebook's script until so many steps are done."""
    script = Path(__file__).with_name("notebook_way.py")
    arguments = [str(files[0].parent / "frontal*"), network, str(size), str(batch), str(steps)]
    environment = os.environ | {"CXR_BENCHMARK": str(os.getpid()), "TF_CPP_MIN_LOG_LEVEL": "2"}
    began = time.time()
    process = subprocess.Popen(
        [sys.executable, str(script), *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    os.set_blocking(process.stdout.fileno(), False)  # type: ignore[union-attr]
    ended: list[float] = []

    def times() -> list[float]:
        while line := process.stdout.readline():  # type: ignore[union-attr]
            ended.append(float(line.removeprefix("loss").split()[0]))
        return ended

    found = Watch(process, began, times, steps).until_done()
    process.send_signal(signal.SIGKILL)
    process.wait()
    return found


def compared(home: Path, files: list[Path], network: str, rounds: int) -> dict[str, Any]:
    """Return the medians of one network, and whether what must hold does."""
    size, batch, steps = NETWORKS[network]
    found: dict[str, list[Measured]] = {name: [] for name in ("notebook", *WAYS)}
    for number in range(rounds):
        found["notebook"].append(notebook(files, network, size, batch, steps))
        for name, options in WAYS.items():
            found[name].append(ours(home, network, size, batch, steps, options))
        told = [f"{name} {one[-1].first_loss:.1f} s, {batch / one[-1].step:.1f}/s" for name, one in found.items()]
        print(f"{network}, round {number + 1}: " + "; ".join(told), flush=True)
    medians = {
        name: {
            "seconds_to_first_loss": round(median(one.first_loss for one in each), 2),
            "images_per_second": round(batch / median(one.step for one in each), 2),
            "memory_bytes": int(median(one.memory for one in each)),
            "rounds": [vars(one) for one in each],
        }
        for name, each in found.items()
    }
    throughput = {name: medians[name]["images_per_second"] / medians["notebook"]["images_per_second"] for name in WAYS}
    first = medians["as shipped"]["seconds_to_first_loss"] / medians["notebook"]["seconds_to_first_loss"]
    holds = min(throughput.values()) >= THROUGHPUT and first <= FIRST_LOSS
    return {
        "image_size": size,
        "batch_size": batch,
        "throughput_over_fit": {name: round(ratio, 3) for name, ratio in throughput.items()},
        "first_loss_over_fit": round(first, 3),
        "holds": holds,
        "medians": medians,
    }


def main() -> None:
    """Measure, keep and print; exit status 1 when what must hold does not."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", default="workspace/benchmarks")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=list(NETWORKS))
    given = parser.parse_args()
    home = Path(given.folder).absolute()
    files = demo_records(home)
    result = {network: compared(home, files, network, given.rounds) for network in given.networks}
    path = keep("training_speed", {"precision": "float32", "networks": result})
    for network, one in result.items():
        print(f"{network}: {one['throughput_over_fit']} of fit's throughput, {one['first_loss_over_fit']} of its start")
    print(f"kept in {path}")
    sys.exit(0 if all(one["holds"] for one in result.values()) else 1)


if __name__ == "__main__":
    main()
