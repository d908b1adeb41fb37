"""The bar of the command line: how far the work is, on standard error, where that is a terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from cxr_core.progress import Progress, telling

_WIDTH = 30
#: Clears a line of a terminal.
_CLEAR = "\r\x1b[K"


@contextmanager
def progress_bar(out: TextIO | None = None) -> Iterator[None]:
    """Draw what the work within tells, in one line that is gone when it ends; a file or a pipe gets nothing."""
    stream = sys.stderr if out is None else out
    if not stream.isatty():
        yield
        return

    drawn = False

    def draw(progress: Progress) -> None:
        nonlocal drawn
        drawn = True
        filled = round(_WIDTH * progress.share)
        stream.write(f"{_CLEAR}[{'#' * filled}{'.' * (_WIDTH - filled)}] {progress.words}")
        stream.flush()

    try:
        with telling(draw):
            yield
    finally:
        if drawn:
            stream.write(_CLEAR)
            stream.flush()
