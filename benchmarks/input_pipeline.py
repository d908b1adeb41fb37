"""Images per second of the input pipeline, of the notebook's own, and of decoding alone, which is the limit.

Seven interleaved rounds in one process, medians; the demo's records of 320x320 pixels; the pixels are compared first.

    python benchmarks/input_pipeline.py [FOLDER] [--images 12000] [--rounds 7]
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import tensorflow as tf
from measured import keep
from notebook_way import get_dataset

from cxr_core.processes import cores
from cxr_core.training.pipeline import training_batches
from cxr_core.training.pixels import PixelFormat, scaled
from cxr_core.training.record_order import RecordFiles

BATCH_SIZE = 32
FULL = PixelFormat(320)
#: What must hold.
OVER_NOTEBOOK, OF_DECODING = 1.25, 0.85


def demo_records(folder: Path) -> list[Path]:
    """Build the demo in a workspace of the benchmark, if it is not there, and return its frontal training records."""
    command = [sys.executable, "-m", "cxr_core", "demo", "--json"]
    subprocess.run(command, env=os.environ | {"CXR_HOME": str(folder)}, stdout=subprocess.DEVNULL, check=True)
    return sorted((folder / "sources/demo/records/train").glob("frontal*"))


def ours(files: list[Path], images: int) -> Any:
    """One long epoch of our pipeline, from the files listed as often as it takes."""
    once = RecordFiles.of(files).images or 1
    return training_batches(RecordFiles.of(files * -(-2 * images // once)), FULL, BATCH_SIZE, seed=0, epoch=0)


def decoding(files: list[Path]) -> Any:
    """JPEGs that are in memory already -> pixels, without end."""
    feature = {"jpg_bytes": tf.io.FixedLenFeature([], tf.string)}
    jpgs = [
        tf.io.parse_single_example(record, feature)["jpg_bytes"].numpy() for record in tf.data.TFRecordDataset(files)
    ]
    whole = len(jpgs) // BATCH_SIZE * BATCH_SIZE
    batches = tf.data.Dataset.from_tensor_slices(np.array(jpgs[:whole], object).reshape(-1, BATCH_SIZE)).repeat()
    return batches.map(FULL.decoded, num_parallel_calls=cores()).prefetch(tf.data.AUTOTUNE)


def rate(batches: Iterable[Any], images: int) -> float:
    """Images per second over so many, after the first batches have come."""
    iterator = iter(batches)
    for _ in range(8):
        next(iterator)
    began = time.perf_counter()
    for _ in range(images // BATCH_SIZE):
        next(iterator)
    return images // BATCH_SIZE * BATCH_SIZE / (time.perf_counter() - began)


def same_pixels(files: list[Path]) -> int:
    """Count the images of an epoch whose float32 input is not, byte for byte, one of the notebook's pipeline."""
    pattern = str(files[0].parent / "frontal*")
    count = RecordFiles.of(files).images or 0
    notebook = get_dataset(pattern, 1).take(2 * count)
    known = {hash(image.numpy().tobytes()) for image, _ in notebook}
    batches = training_batches(RecordFiles.of(files), FULL, BATCH_SIZE, seed=0, epoch=0)
    return sum(hash(image.tobytes()) not in known for images, _ in batches for image in scaled(images).numpy())


def main() -> None:
    """Measure, keep and print; exit status 1 when what must hold does not."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", default="workspace/benchmarks")
    parser.add_argument("--images", type=int, default=12_000)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    files = demo_records(Path(given.folder).absolute())
    different = same_pixels(files)
    pattern = str(files[0].parent / "frontal*")
    ways = {
        "ours": lambda: ours(files, given.images),
        "notebook": lambda: get_dataset(pattern, BATCH_SIZE),
        "decoding": lambda: decoding(files),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(given.rounds):
        for name, make in ways.items():
            rates[name].append(round(rate(make(), given.images), 1))
        print(f"round {number + 1}: " + ", ".join(f"{name} {found[-1]:,.0f}/s" for name, found in rates.items()))
    medians = {name: median(found) for name, found in rates.items()}
    over_notebook = medians["ours"] / medians["notebook"]
    of_decoding = medians["ours"] / medians["decoding"]
    holds = different == 0 and over_notebook >= OVER_NOTEBOOK and of_decoding >= OF_DECODING
    result = {
        "images_a_round": given.images,
        "images_per_second": medians,
        "rounds": rates,
        "ours_over_notebook": round(over_notebook, 3),
        "ours_of_decoding": round(of_decoding, 3),
        "images_with_other_pixels": different,
        "holds": holds,
    }
    path = keep("input_pipeline", result)
    print(f"ours {over_notebook:.2f} of the notebook's, {of_decoding:.2f} of decoding alone; kept in {path}")
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
