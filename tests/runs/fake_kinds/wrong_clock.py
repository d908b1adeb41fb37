"""A clock that goes wrong on demand; imported before anything of the product, which may keep `time.time`."""

import os
import time
from pathlib import Path


def _wrong_time(file, true_time=time.time):
    try:
        return true_time() + float(file.read_text())
    except (OSError, ValueError):
        return true_time()


if "FAKE_CLOCK" in os.environ:
    _file = Path(os.environ["FAKE_CLOCK"])
    time.time = lambda: _wrong_time(_file)
