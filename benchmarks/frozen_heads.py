"""Logistic heads for the whole (u, w) grid on frozen features: how long, in how much memory, and as good as whose.

- `demo`: 11 x 11 pairs of 14 labels on what a shipped model makes of the demo's training images, as the run of
  `policies` trains them: at most 15 seconds. Some heads of each label are fitted by scikit-learn too, at the same
  penalty: their losses agree to 1e-4.
- `made_up`: 200,000 x 1,024 made-up features. The grid of one label, early stopping and all, takes at most 40 times
  as long as one `LogisticRegression` of scikit-learn for one policy of that label, at the penalty that the grid chose,
  each in a process of its own with the same threads, below 4 GB. Labels are alike, so of many labels both sides are so
  many times as much.

    python benchmarks/frozen_heads.py [FOLDER] [--images 200000] [--size 1024] [--keep]
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from measured import keep
from sklearn.linear_model import LogisticRegression

from cxr_core.arrays import FloatArray, IntArray
from cxr_core.evaluation.fitted import deal_patients
from cxr_core.schema import LABELS, Value, dataset_code
from cxr_core.sources.registry import get_source
from cxr_core.tasks.feature_store import kept_features
from cxr_core.tasks.head_training import train_heads, training_rows
from cxr_core.training.head_grid import PAIRS, head_grid
from cxr_core.training.heads import Standardised, fit_heads, fit_path, head_losses

MOST_SECONDS, MOST_TIMES, MOST_BYTES, CLOSE = 15.0, 40.0, 4e9, 1e-4
#: Pairs of which a head is fitted by scikit-learn too.
CHECKED = ((0.0, 0.0), (1.0, 1.0), (0.4, 0.8))
VIEW, SEED, PARTS = "frontal", 2026, 5


class Silent:
    """What the training of heads asks of the run that it belongs to."""

    def stop_if_cancelled(self) -> None:
        """Go on."""

    def progress(self, *_told: Any, **_named: Any) -> None:
        """Tell nobody."""


def demo(folder: Path) -> dict[str, Any]:
    """Train the heads of the demo as the product does, and compare some with scikit-learn's."""
    os.environ["CXR_HOME"] = str(folder)
    for command in (["demo"], ["policies", "--json"]):
        subprocess.run([sys.executable, "-m", "cxr_core", *command], check=True, stdout=subprocess.DEVNULL)
    found = sorted((folder / "sources" / "demo" / "features").iterdir())[0]
    kept = kept_features(found)
    assert kept is not None
    rows = training_rows(get_source("demo"), VIEW, kept)
    started = time.monotonic()
    _, told = train_heads(Silent(), kept, rows)  # type: ignore[arg-type]
    seconds = time.monotonic() - started
    held_out = deal_patients(rows["patient"].to_numpy(np.int64), PARTS) == 0
    features = Standardised.of(kept.features[rows["row"].to_numpy()], ~held_out)
    worst = 0.0
    for label in LABELS:
        if (penalty := told["labels"][label]["penalty"]) is not None:
            codes = np.where(held_out, -1, rows[label].to_numpy(np.int64))
            worst = max(worst, *(apart(features.rows, codes, pair, penalty) for pair in CHECKED))
    images = int((kept.images["dataset"] == dataset_code("train")).sum())
    result = {"images": images, "size": kept.size, "labels": len(LABELS), "pairs": len(PAIRS)}
    return result | {"seconds": round(seconds, 2), "loss_apart": worst}


def apart(rows: Any, codes: IntArray, pair: tuple[float, float], penalty: float) -> float:
    """Return by how much the penalised loss of our head is above that of scikit-learn's, or below."""
    grid, there = head_grid(), codes >= 0
    place = [grid.of_pairs[PAIRS.index(pair)]]
    tables = type(grid.tables)(grid.tables.targets[:, place], grid.tables.weights[:, place])
    ours = fit_heads(rows, codes, tables, penalty)
    theirs = scikit_head(rows[there, :-1], codes[there], pair, penalty)
    losses = [
        float(head_losses(rows, codes, tables, slopes)[0])
        + penalty / 2 * float(np.square(slopes[:-1].astype(float)).sum())
        for slopes in (ours.slopes, theirs)
    ]
    return abs(losses[0] - losses[1])


def scikit_head(features: Any, codes: IntArray, pair: tuple[float, float], penalty: float, tight: bool = True) -> Any:
    """Return scikit-learn's slopes (d + 1, 1): a soft target is a positive and a negative row that share its weight."""
    u, w = pair
    targets = np.where(codes == Value.uncertain, u, codes == Value.positive).astype(float)
    weights = np.where(codes == Value.uncertain, w, 1.0)
    shares = [(1, targets * weights), (0, (1 - targets) * weights)]
    chosen = [(value, np.flatnonzero(share > 0), share) for value, share in shares]
    x = features[np.concatenate([rows for _, rows, _ in chosen])]
    y = np.concatenate([np.full(rows.size, value) for value, rows, _ in chosen])
    counts = np.concatenate([share[rows] for _, rows, share in chosen])
    exactly = {"tol": 1e-8, "max_iter": 5000} if tight else {"max_iter": 1000}
    model = LogisticRegression(C=1 / (codes.size * penalty), **exactly).fit(x, y, counts)
    return np.r_[model.coef_[0], model.intercept_[0]].astype(np.float32)[:, None]


def made_up(folder: Path, images: int, size: int) -> dict[str, Any]:
    """Fit the grid of one label of made-up features, and one head of it by scikit-learn, each in its own process."""
    folder.mkdir(parents=True, exist_ok=True)
    features, codes = folder / f"features-{images}-{size}.npy", folder / f"codes-{images}-{size}.npy"
    if not codes.exists():
        _make(features, codes, images, size)
    ours = _apart_process("grid", features, codes, 0.0)
    theirs = _apart_process("scikit", features, codes, ours["penalty"])
    times = {f"{name}_times": round(ours[name] / theirs[name], 1) for name in ("seconds", "cpu_seconds")}
    return {"images": images, "size": size, "pairs": len(PAIRS), "grid": ours, "scikit_learn": theirs} | times


def _make(features: Path, codes: Path, images: int, size: int) -> None:
    """Write features as halves, as they are kept, and codes of one label that follows from some of them."""
    rng = np.random.default_rng(SEED)
    stored = np.lib.format.open_memmap(features, "w+", np.float16, (images, size))
    slopes = rng.normal(0, 1, size) * (rng.random(size) < 0.1) / np.sqrt(0.1 * size)
    logits = np.empty(images)
    for start in range(0, images, 8192):
        part = rng.normal(0, 1, (min(8192, images - start), size)).astype(np.float16)
        stored[start : start + len(part)] = part
        logits[start : start + len(part)] = part.astype(float) @ slopes
    present = rng.random(images) < 1 / (1 + np.exp(1.5 - 2 * logits))
    uncertain, mentioned = rng.random(images) < 0.1, rng.random(images) < 0.3
    absent = np.where(mentioned, Value.negative, Value.not_mentioned)
    np.save(codes, np.where(uncertain, Value.uncertain, np.where(present, Value.positive, absent)).astype(np.int64))


def _apart_process(part: str, features: Path, codes: Path, penalty: float) -> dict[str, Any]:
    command = [sys.executable, __file__, "--part", part, str(features), str(codes), str(penalty)]
    told: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return told


def _one_part(part: str, features: Path, codes_file: Path, penalty: float) -> dict[str, Any]:
    """Do one side in this process, and say how long it took and how much memory."""
    stored, codes = np.load(features, mmap_mode="r"), np.load(codes_file)
    held_out = np.arange(codes.size) % PARTS == 0
    rows = Standardised.of(stored, ~held_out).rows
    began, began_cpu = time.monotonic(), time.process_time()
    told: dict[str, Any] = {}
    if part == "grid":
        told["penalty"] = fit_path(rows, codes, head_grid().tables, held_out).penalty
    else:
        certain = ~held_out & (codes != Value.uncertain)
        began, began_cpu = time.monotonic(), time.process_time()
        _plain_fit(rows[certain, :-1], codes[certain], penalty)
    seconds = {"seconds": round(time.monotonic() - began, 2), "cpu_seconds": round(time.process_time() - began_cpu, 2)}
    return told | seconds | {"memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def _plain_fit(features: FloatArray | Any, codes: IntArray, penalty: float) -> None:
    """Fit one head as whoever uses scikit-learn does, at its own tolerance."""
    LogisticRegression(C=1 / (codes.size * penalty), max_iter=1000).fit(features, codes == Value.positive)


def holds(result: dict[str, Any]) -> bool:
    """Say whether everything that must hold does."""
    own, large = result["demo"], result["made_up"]
    return bool(
        own["seconds"] <= MOST_SECONDS
        and own["loss_apart"] <= CLOSE
        and large["seconds_times"] <= MOST_TIMES
        and large["grid"]["memory_bytes"] <= MOST_BYTES
    )


def main() -> None:
    """Measure, print, and keep where asked; exit status 1 when what must hold does not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", default="workspace/heads")
    parser.add_argument("--images", type=int, default=200_000)
    parser.add_argument("--size", type=int, default=1_024)
    parser.add_argument("--keep", action="store_true", help="write the figures into benchmarks/results")
    parser.add_argument("--part", nargs=4, metavar=("PART", "FEATURES", "CODES", "PENALTY"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        part, features, codes, penalty = given.part
        print(json.dumps(_one_part(part, Path(features), Path(codes), float(penalty))))
        return
    folder = Path(given.folder).absolute()
    result: dict[str, Any] = {"demo": demo(folder), "made_up": made_up(folder, given.images, given.size)}
    result["holds"] = holds(result)
    print(json.dumps(result, indent=1))
    if given.keep:
        print(f"kept in {keep('frozen_heads', result)}")
    sys.exit(0 if result["holds"] else 1)


if __name__ == "__main__":
    main()
