"""Files whose every test `-m` leaves out are not even imported: TensorFlow alone takes seconds in each process."""

import re
from pathlib import Path

import pytest

MARKS = ("browser", "tensorflow")


def is_left_out(file: Path, config: pytest.Config) -> bool:
    """Say whether a file marks all its tests with what `-m` leaves out."""
    left_out = [mark for mark in MARKS if re.search(rf"\bnot {mark}\b", config.option.markexpr)]
    if not left_out or file.suffix != ".py":
        return False
    marked = re.search(r"^pytestmark = (\[[^]]*\]|.*)", file.read_text(), re.MULTILINE)
    return bool(marked) and any(f"pytest.mark.{mark}" in marked[0] for mark in left_out)
