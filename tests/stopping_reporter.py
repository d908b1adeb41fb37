"""What stands for the run that a training loop reports to, in tests."""

import json
from pathlib import Path

from cxr_core.runs.metrics import METRICS_FILE, cut_metrics


class Reporter:
    """Keeps what a run tells, and stops it at the call number `stop_at` of `cancelled`."""

    def __init__(self, folder: Path, stop_at: int | None = None) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.stop_at = folder, stop_at
        self.asked = 0
        self.progressed: list[tuple[int, int]] = []

    def metrics(self, row):
        with (self.folder / METRICS_FILE).open("a") as file:
            file.write(json.dumps(row) + "\n")

    def resumed(self, step, epoch):
        cut_metrics(self.folder / METRICS_FILE, step, epoch)

    def progress(self, step, steps, epoch=None, message=""):
        self.progressed.append((step, steps))

    def cancelled(self):
        self.asked += 1
        return self.asked == self.stop_at

    def rows(self):
        return [json.loads(line) for line in (self.folder / METRICS_FILE).read_text().splitlines()]

    def losses(self):
        return [row["loss"] for row in self.rows() if "loss" in row]


def timeless(rows):
    """The rows without what depends on the clock."""
    return [
        {name: value for name, value in row.items() if name not in ("time", "images_per_second", "data_wait")}
        for row in rows
    ]
