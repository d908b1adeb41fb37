"""How fast each network of the table trains on a CPU, and how long until its first loss: the form's estimate of time.

Ours is the product's own command, as in `training_speed`, some steps of each network, once. Pixels a second is images a
second times the pixels of an image, by the median of the steps after the third.

    python benchmarks/network_rates.py [FOLDER] [--networks NAME …] [--image-size 96] [--steps 12] [--keep]
"""

import argparse
import json
from pathlib import Path
from typing import Any

from input_pipeline import demo_records
from measured import RESULTS, circumstances, keep
from training_speed import ours

from cxr_core.training.architectures import ARCHITECTURES

NAME, BATCH = "network_rates", 32


def rate(home: Path, network: str, size: int, steps: int) -> dict[str, Any]:
    """Return pixels a second and the seconds to the first loss of one network."""
    found = ours(home, network, size, BATCH, steps, [])
    return circumstances() | {
        "image_size": size,
        "batch_size": BATCH,
        "steps": steps,
        "pixels_per_second": round(BATCH * size**2 / found.step),
        "seconds_to_first_loss": round(found.first_loss, 1),
        "memory_bytes": found.memory,
    }


def main() -> None:
    """Measure, print, and keep where asked; networks that are not measured now stay as they are kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", default="workspace/benchmarks")
    parser.add_argument("--networks", nargs="+", default=list(ARCHITECTURES), choices=list(ARCHITECTURES))
    parser.add_argument("--image-size", type=int, default=96)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--keep", action="store_true", help="write the figures into benchmarks/results")
    given = parser.parse_args()
    home = Path(given.folder).absolute()
    demo_records(home)
    path = RESULTS / f"{NAME}.json"
    networks = json.loads(path.read_text())["networks"] if path.exists() else {}
    for network in given.networks:
        networks[network] = rate(home, network, given.image_size, given.steps)
        print(network, json.dumps(networks[network]), flush=True)
        if given.keep:
            keep(NAME, {"networks": networks})


if __name__ == "__main__":
    main()
