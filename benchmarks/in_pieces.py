"""A long series that is done in pieces: a file says what was done, and the next call goes on from there."""

import json
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

#: Exit status of a piece after which more is to be done.
MORE_TO_DO = 3


def add_options(parser: ArgumentParser) -> None:
    """Add the options of a series in pieces."""
    parser.add_argument("--pieces", type=Path, help="file that says what was done; the series goes on from there")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin nothing more after so long")


class Pieces:
    """What was done of a series, as plain values in `done`; kept in the file where one was named."""

    def __init__(self, chosen: Namespace, nothing: dict[str, Any]) -> None:
        self._path: Path | None = chosen.pieces
        self._until = time.monotonic() + chosen.seconds
        there = self._path is not None and self._path.exists()
        self.done: dict[str, Any] = json.loads(self._path.read_text()) if self._path and there else nothing

    @property
    def is_time_up(self) -> bool:
        """Whether this piece is to begin nothing more."""
        return time.monotonic() >= self._until

    def keep(self) -> None:
        """Write down what was done so far."""
        if self._path:
            beside = self._path.with_suffix(".tmp")
            beside.write_text(json.dumps(self.done))
            beside.replace(self._path)
