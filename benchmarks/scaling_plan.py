"""What one training takes and costs on several accelerators: the arithmetic of docs/scaling.md on what was measured.

The rate is yours: images a second of one accelerator, as the page of a short run shows it. So is the price of an hour.
Perfect scaling is assumed.

    python benchmarks/scaling_plan.py --rate 35.75 [--price 2.5 --currency EUR] [--workers 1 8 64]
"""

import argparse
import json
import math
from dataclasses import dataclass

from measured import RESULTS

#: A record of the demo (its 5,112 records have 124,582,434 bytes); DenseNet121 by Keras: weights, and those trained.
RECORD_BYTES = 124_582_434 / 5_112
WEIGHTS, TRAINED = 7_045_582, 6_961_934
FLOAT_BYTES = 4
IMAGES_A_STEP = 32  # of one worker


@dataclass(frozen=True)
class Plan:
    """One training on so many accelerators.

    Attributes:
        hours: from start to end.
        accelerator_hours: what is paid for.
        input_rate: bytes of records a second, all together.
        gradient_rate: bytes a second that one worker exchanges with the others; 0 for one alone.
    """

    hours: float
    accelerator_hours: float
    input_rate: float
    gradient_rate: float


def plan(images: int, epochs: int, rate: float, accelerators: int) -> Plan:
    """Return what it takes where each accelerator trains `rate` images a second, and none waits."""
    hours = images * epochs / (rate * accelerators) / 3600
    exchanged = 2 * TRAINED * FLOAT_BYTES / IMAGES_A_STEP if accelerators > 1 else 0.0
    return Plan(hours, hours * accelerators, RECORD_BYTES * rate * accelerators, exchanged * rate)


def checkpoint_bytes() -> int:
    """Return the bytes of the weights with the two moments of Adam."""
    return (WEIGHTS + 2 * TRAINED) * FLOAT_BYTES


def decoded_rate() -> float:
    """Return images a second that two cores read and decode, as measured."""
    return float(json.loads((RESULTS / "input_pipeline.json").read_text())["images_per_second"]["ours"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, required=True, help="images a second of one accelerator")
    parser.add_argument("--price", type=float, help="of one accelerator, with its share of the machine, an hour")
    parser.add_argument("--currency", default="EUR")
    parser.add_argument("--images", type=int, default=248_000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 8, 64])
    told = parser.parse_args()
    if not 0 < told.rate < math.inf or min(told.images, told.epochs, *told.workers) < 1:
        parser.error("the rate must be above 0, and images, epochs and workers at least 1")
    for workers in told.workers:
        found = plan(told.images, told.epochs, told.rate, workers)
        cost = "" if told.price is None else f", {found.accelerator_hours * told.price:,.2f} {told.currency}"
        print(
            f"{workers:3} x: {found.hours:,.1f} hours, {found.accelerator_hours:,.1f} accelerator hours{cost}; "
            f"reads {found.input_rate / 1e6:,.1f} MB/s in all, exchanges {found.gradient_rate / 1e6:,.1f} MB/s a worker"
        )
    print(f"A checkpoint has {checkpoint_bytes() / 1e6:.0f} MB.")
    fed = decoded_rate() / told.rate
    print(f"Two cores decode for {fed:,.0f} of these accelerators; records on gs:// are read by each worker in full.")


if __name__ == "__main__":
    main()
