"""Maps of where a model looks, against what cannot be saved: loading TensorFlow with the model, and one forward pass.

The first map is timed from the start of the worker process to its answer, beside a process that imports TensorFlow and
loads the same model; a later map (of an image that was not asked for before) beside a compiled forward pass of the same
network. Rounds are interleaved, medians are compared.

    python benchmarks/saliency.py [--rounds 3]
"""

import argparse
import base64
import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from measured import keep
from PIL import Image

from cxr_core.models.warm_worker import WarmWorker

#: network -> image size.
NETWORKS = {"densenet-small": 96, "densenet121": 320}
#: What must hold, as ratios of medians.
FIRST, LATER = 1.5, 3.0
PASSES = 9
LOAD = """
import sys, time
from pathlib import Path
from cxr_core.training.first_import import import_tensorflow
import_tensorflow()
from cxr_core.models.model_file import load_network
load_network(Path(sys.argv[1]))
"""
FORWARD = """
import sys, time
from pathlib import Path
import numpy as np, tensorflow as tf
from cxr_core.models.model_file import load_network
network, info = load_network(Path(sys.argv[1]))
step = tf.function(lambda images: network(images, training=False))
shape = (1, info.image_size, info.image_size, 1)
images = [tf.constant(np.random.rand(*shape), tf.float32) for _ in range(int(sys.argv[2]))]
step(images[0])
for image in images:
    began = time.perf_counter()
    step(image).numpy()
    print(time.perf_counter() - began)
"""
WRITE = """
import sys
from pathlib import Path
from cxr_core.training.network import build_network
from cxr_core.training.weights_file import ModelInfo, write_weights
network, size = sys.argv[1], int(sys.argv[2])
write_weights(build_network(network, size), Path(sys.argv[3]), ModelInfo(network, size, None, None))
"""


def jpeg(seed: int) -> bytes:
    """Return a random picture of 320x320 pixels."""
    content = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 255, (40, 40), dtype=np.uint8)
    Image.fromarray(pixels).resize((320, 320)).save(content, "JPEG")
    return content.getvalue()


def seconds_of(worker: WarmWorker, model: Path, seed: int) -> float:
    """Return how long the worker takes for a map of an image that nobody asked for."""
    jpg = base64.b64encode(jpeg(seed)).decode()
    began = time.perf_counter()
    worker.ask({"model": str(model), "stamp": "", "random": False, "jpg": jpg})
    return time.perf_counter() - began


def in_process(code: str, *arguments: str) -> tuple[float, str]:
    """Return how long a process takes, and what it prints."""
    began = time.perf_counter()
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return time.perf_counter() - began, done.stdout


def measured(network: str, size: int, rounds: int) -> dict[str, Any]:
    """Return the medians of one network, and whether what must hold does."""
    found: dict[str, list[float]] = {name: [] for name in ("load", "first", "later", "forward")}
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.h5"
        in_process(WRITE, network, str(size), str(model))
        for number in range(rounds):
            found["load"].append(in_process(LOAD, str(model))[0])
            worker = WarmWorker()
            found["first"].append(seconds_of(worker, model, 1000 * number))
            found["later"] += [seconds_of(worker, model, 1000 * number + again) for again in range(1, PASSES)]
            worker.close()
            found["forward"] += [float(line) for line in in_process(FORWARD, str(model), str(PASSES))[1].split()]
    seconds = {name: median(each) for name, each in found.items()}
    first, later = seconds["first"] / seconds["load"], seconds["later"] / seconds["forward"]
    return {
        "image_size": size,
        "first_over_load": round(first, 3),
        "later_over_forward": round(later, 3),
        "holds": first <= FIRST and later <= LATER,
        "seconds": {name: round(value, 4) for name, value in seconds.items()},
    }


def main() -> None:
    """Measure, keep and print; exit status 1 when what must hold does not."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    result = {network: measured(network, size, rounds) for network, size in NETWORKS.items()}
    path = keep("saliency", {"rounds": rounds, "networks": result})
    for network, one in result.items():
        print(f"{network}: first {one['first_over_load']} of loading, later {one['later_over_forward']} of a pass")
    print(f"kept in {path}")
    sys.exit(0 if all(one["holds"] for one in result.values()) else 1)


if __name__ == "__main__":
    main()
