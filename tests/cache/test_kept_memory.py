"""How much a value is said to take, against what its parts are known to take and what the process really grows by."""

import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cxr_core.cache.memory import memory_of

MB = 1_000_000


@dataclass(frozen=True)
class Answer:
    scores: np.ndarray
    frame: pd.DataFrame
    words: dict[str, list[str]]


def about(size):
    return pytest.approx(size, rel=0.02, abs=5000)


def test_arrays_count_their_buffer_once_and_a_view_counts_what_it_keeps_alive():
    numbers = np.zeros(MB)
    assert memory_of(numbers).total == about(8 * MB)
    assert memory_of([numbers, numbers, numbers[5:]]).total == about(8 * MB)
    assert memory_of(numbers[:3]).total == about(8 * MB)
    assert memory_of(numbers[:3].copy()).total < 1000


def test_tables_and_frames_count_numbers_and_texts():
    texts = [f"train/p{number:08d}/s01/view1_frontal.jpg" for number in range(100_000)]
    length = len(texts[0])
    table = pa.table({"path": texts, "score": np.zeros(100_000)})
    assert memory_of(table).total == pytest.approx(100_000 * (length + 4 + 8), rel=0.05)
    frame = table.to_pandas()
    assert memory_of(frame).total == pytest.approx(100_000 * (length + 8 + 8), rel=0.25)
    assert memory_of(frame.astype({"path": object})).total > 100_000 * (length + 49 + 8)
    assert memory_of(frame.assign(path=frame["path"].astype("category"))["score"]).total >= 8 * 100_000
    assert memory_of(pd.Series([1, None] * 50_000, dtype="Int64")).total == about(9 * 100_000)


def test_two_answers_from_one_table_share_its_buffers():
    frame = pd.DataFrame(np.zeros((100_000, 10)), columns=list("abcdefghij"))
    one, two = memory_of(frame["a"].to_numpy()), memory_of(frame)
    assert set(one.buffers) <= set(two.buffers)
    assert two.total == about(8 * MB)


def test_what_a_dataclass_holds_counts_and_a_circle_ends():
    words = {"a": ["x" * 1000 + str(number) for number in range(1000)]}
    answer = Answer(np.zeros(MB), pd.DataFrame({"a": np.ones(MB)}), words)
    assert memory_of(answer).total == about(17 * MB + 1000 * 50)
    words["all"] = [words]
    assert memory_of(answer).total == about(17 * MB + 1000 * 50)


GROWING = """
import resource
import numpy as np, pandas as pd, pyarrow as pa, pyarrow.compute as pc
from cxr_core.cache.memory import memory_of
def now():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
before = now()
numbers = pa.array(np.arange(10_000_000, 12_000_000)).cast(pa.string())
texts = pc.binary_join_element_wise("train/p", numbers, "/s01/view1_frontal.jpg", "")
frame = pd.DataFrame({**{f"c{n}": np.random.default_rng(n).normal(size=2_000_000) for n in range(12)}})
held = [numbers, texts, frame, {n: np.ones(400_000) for n in range(10)}]
print(memory_of(held).total / (now() - before))
"""


@pytest.mark.slow
def test_what_is_counted_is_what_the_process_grows_by():
    done = subprocess.run([sys.executable, "-c", GROWING], capture_output=True, text=True, check=True, timeout=100)
    assert 0.7 < float(done.stdout) < 1.3
