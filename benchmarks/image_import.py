"""Importing images against decoding and resizing them alone on all cores, in one run, and what a kill costs.

Makes 2,000 JPEGs of 3,000x2,500 pixels, imports them with the product, and decodes and resizes the same files with the
same functions in a bare pool of processes. Then imports again, killing all processes at random moments.

    python benchmarks/image_import.py [--images 2000] [--kills 5]
"""

import argparse
import io
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
from measured import keep
from PIL import Image

from cxr_core.records.example import decode
from cxr_core.records.tfrecord import read_payloads
from cxr_core.runs import service
from cxr_core.tasks.import_images import start_image_import

SIZE = (3000, 2500)


def make_images(folder: Path, count: int) -> None:
    """Write smooth pictures with grain, as radiographs are; twenty drawn, the others are copies."""
    rng = np.random.default_rng(0)
    for number in range(count):
        path = folder / f"train/patient{1 + number // 2:05d}/study1/view{1 + number % 2}_frontal.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        if number >= 20:
            shutil.copyfile(first[number % 20], path)
            continue
        smooth = Image.fromarray(rng.integers(0, 256, (25, 30), np.uint8)).resize(SIZE, Image.Resampling.BICUBIC)
        grain = rng.normal(0, 4, SIZE[::-1])
        Image.fromarray(np.clip(np.asarray(smooth) + grain, 0, 255).astype(np.uint8)).save(path, quality=90)
        first[number] = path


first: dict[int, Path] = {}


def alone(path: str) -> int:
    """Decode and resize one file as a bare script would: no reading of labels, nothing written."""
    picture = Image.open(io.BytesIO(Path(path).read_bytes()))
    picture.draft("L", (640, 640))
    return len(picture.convert("L").resize((320, 320), Image.Resampling.LANCZOS).tobytes())


def cxr(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "cxr_core", *arguments, "--source", "bench", "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def import_once(folder: Path) -> tuple[dict[str, Any], float]:
    """Import as a page does, and return what was told and the seconds from the press of the button to the end."""
    start = time.perf_counter()
    run = service.wait(start_image_import("bench", str(folder), replace=True).run)
    if run.result is None:
        raise RuntimeError(f"The import {run.status}: {run.reason}")
    return run.result, time.perf_counter() - start


def memory_of_import(folder: Path) -> list[float]:
    """Import once more, which is not timed, and return the memory of all its processes in MB, every half second."""
    running, seen = cxr("import", "images", str(folder), "--replace"), list[float]()
    while running.poll() is None:
        time.sleep(0.5)
        seen.append(memory_of_runs())
    return seen


def processes_of_runs() -> list[psutil.Process]:
    """Return the supervisors, workers and their children of this benchmark's own workspace."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("CXR_HOME") == os.environ["CXR_HOME"] and process.pid != os.getpid():
                found.append(process)
        except psutil.Error:
            continue
    return found


def memory_of_runs() -> float:
    total = 0
    for process in processes_of_runs():
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total / 1e6


def killed_import(folder: Path, kills: int, seconds: float) -> list[float]:
    """Import with everything killed `kills` times at random, each time started again by its user."""
    rng, moments = random.Random(0), []
    for _ in range(kills):
        running = cxr("import", "images", str(folder), "--replace")
        moments.append(rng.uniform(0.15, 0.5) * seconds)
        time.sleep(moments[-1])
        for process in processes_of_runs():
            try:
                process.send_signal(signal.SIGKILL)
            except psutil.Error:
                continue
        running.communicate()
    import_once(folder)
    return [round(moment, 1) for moment in moments]


def record_paths(home: Path) -> list[str]:
    files = sorted((home / "sources" / "bench" / "records").glob("*/frontal-*"))
    return [str(decode(payload, str(file)).path) for file in files for payload in read_payloads(file)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder, home = Path(made) / "CheXpert", Path(made) / "workspace"
        os.environ["CXR_HOME"] = str(home)
        make_images(folder, chosen.images)
        files = sorted(str(path) for path in folder.rglob("*.jpg"))
        names = [str(Path(file).relative_to(made)) for file in files]
        labels = pd.DataFrame({"Path": names, "Frontal/Lateral": "Frontal", "Edema": 1.0})
        labels.to_csv(Path(made) / "train.csv", index=False)
        cxr("import", "labels", str(Path(made) / "train.csv")).communicate()
        cores = len(os.sched_getaffinity(0))
        seconds_alone, seconds, told = [], [], dict[str, Any]()
        for _ in range(3):
            start = time.perf_counter()
            with ProcessPoolExecutor(cores) as pool:
                list(pool.map(alone, files, chunksize=16))
            seconds_alone.append(time.perf_counter() - start)
            told, took = import_once(folder)
            seconds.append(took)
        memory = memory_of_import(folder)
        whole = record_paths(home)
        moments = killed_import(folder, chosen.kills, float(np.median(seconds)))
        again = record_paths(home)
    rates = chosen.images / np.median(seconds), chosen.images / np.median(seconds_alone)
    result = {
        "images": chosen.images,
        "pixels": list(SIZE),
        "written": told["written"],
        "images_per_second": round(float(rates[0]), 1),
        "images_per_second_decoding_and_resizing_alone": round(float(rates[1]), 1),
        "ratio": round(float(rates[0] / rates[1]), 3),
        "seconds": [round(took, 1) for took in seconds],
        "seconds_decoding_and_resizing_alone": [round(took, 1) for took in seconds_alone],
        # The middle of the first and of the second half: flat where they are alike.
        "memory_mb_of_all_processes": [
            round(float(np.median(half))) for half in (memory[: len(memory) // 2], memory[len(memory) // 2 :])
        ],
        "killed_after_seconds": moments,
        "records_after_the_kills": len(again),
        "same_records_each_once": sorted(again) == sorted(whole) and len(set(again)) == len(again),
        "peak_memory_mb_of_this_script": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
    }
    print(json.dumps(result, indent=2))
    keep("image_import", result)


if __name__ == "__main__":
    main()
