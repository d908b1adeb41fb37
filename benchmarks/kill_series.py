"""Twenty runs that are killed with SIGKILL and resumed, against one that was not.

Twelve are killed between two steps after the first checkpoint, five inside the writing of a checkpoint, three in a
validation. Each must end with the same weights, optimizer and models to the bit, and with the same metric rows apart
from the clock's. A checkpoint is written after every step, and the moment of each kill is printed.

    python benchmarks/kill_series.py [FOLDER]
"""

import shutil
import sys
import tempfile
from pathlib import Path

from measured import keep

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "training"))

from killed_runs import Moment, differences, run_in_child
from random_records import write_random_records

from cxr_core.training.options import TrainOptions

OPTIONS = TrainOptions(
    architecture="densenet-small", image_size=64, batch_size=8, epochs=2, seed=11, checkpoint_minutes=0
)
#: 10 steps an epoch, 22 checkpoints, 4 validation batches an epoch.
N_TRAIN, N_VALID = 84, 30
MOMENTS = [
    *(Moment("step", number) for number in (2, 3, 5, 7, 9, 10, 11, 12, 14, 16, 18, 20)),
    *(Moment("half", number) for number in (4, 13)),
    *(Moment("whole", number) for number in (8, 22)),
    Moment("renamed", 15),
    *(Moment("validation", number) for number in (1, 6)),
    Moment("validated", 1),
]


def main() -> None:
    """Run the series, keep and print the result; exit status 1 when a run ended differently."""
    base = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="kill-series-")).absolute()
    shutil.rmtree(base, ignore_errors=True)
    files_train = write_random_records(base / "train", N_TRAIN, shards=3)
    files_valid = write_random_records(base / "valid", N_VALID, shards=1, first=10_000)
    if run_in_child(OPTIONS, files_train, files_valid, base / "uninterrupted") != 0:
        sys.exit("The uninterrupted run failed.")
    rows = []
    for moment in MOMENTS:
        folder = base / str(moment).replace(" ", "-")
        killed = run_in_child(OPTIONS, files_train, files_valid, folder, moment)
        resumed = run_in_child(OPTIONS, files_train, files_valid, folder)
        differs = differences(folder, base / "uninterrupted") if resumed == 0 else ["the resumed run failed"]
        rows.append({"moment": str(moment), "killed_by_signal": -killed, "differs": differs})
        print(f"{moment}: {differs or 'as the uninterrupted run'}", flush=True)
    good = [row for row in rows if row["killed_by_signal"] == 9 and not row["differs"]]
    result = {"settings": OPTIONS.as_dict(), "runs": len(rows), "ended_as_uninterrupted": len(good), "kills": rows}
    print(f"{len(good)} of {len(rows)} ended as the uninterrupted run; kept in {keep('kill_series', result)}")
    sys.exit(0 if len(good) == len(rows) else 1)


if __name__ == "__main__":
    main()
