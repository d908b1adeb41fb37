"""The order of test files where processes share them: the longest first, so that none is begun when the others are through.

Files that drive a browser stand between others: several browsers at a time would starve each other.
"""

from itertools import zip_longest
from pathlib import Path

import pytest

#: About how long a test takes that is marked so; the first mark that it has counts.
SECONDS = {"browser": 25.0, "cluster": 6.0, "tensorflow": 5.0, "slow": 1.0}
OTHER_SECONDS = 0.05


def share_longest_first(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the tests in that order; xdist, which would put files of many tests first, keeps it (`keep_our_order`)."""
    if hasattr(config, "workerinput"):
        items[:] = longest_first(items)


def keep_our_order(config: pytest.Config) -> None:
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def longest_first(items: list[pytest.Item]) -> list[pytest.Item]:
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    ordered = sorted(files.values(), key=lambda file: sum(map(expected_seconds, file)), reverse=True)
    browsers = [file for file in ordered if file[0].get_closest_marker("browser")]
    others = [file for file in ordered if not file[0].get_closest_marker("browser")]
    pairs = zip_longest(others, browsers, fillvalue=[])
    return [item for pair in pairs for file in pair for item in file]


def expected_seconds(item: pytest.Item) -> float:
    return next((SECONDS[mark] for mark in SECONDS if item.get_closest_marker(mark)), OTHER_SECONDS)
