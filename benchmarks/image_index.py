"""Random access to 1,000 of 50,000 records by the index, beside reading the file through until each is found.

The records are made here, with random small pictures. By the index all 1,000 are asked for, one after another, in
random order; the file is read through for some of them, whose median stands for all. Bytes must be equal, and the index
at least 100 times as fast.

    python benchmarks/image_index.py [--records 50000]
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from measured import keep

from cxr_core.records.example import Record, decode_path, decode_picture, encode
from cxr_core.records.index import build_index, find_record
from cxr_core.records.tfrecord import read_payloads, write_records

LEAST, ASKED, READ_THROUGH, PICTURE_BYTES = 100, 1000, 25, 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=50_000)
    records = parser.parse_args().records
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CXR_HOME"] = folder
        file = Path(folder) / "sources/bench/records/valid/frontal-00000-of-00001"
        pictures = random.Random(0)
        made = [pictures.randbytes(PICTURE_BYTES) for _ in range(records)]
        write_records(file, [encode(Record(jpg, {"edema": 3}, path=name_of(n))) for n, jpg in enumerate(made)])
        began = time.perf_counter()
        build_index(str(file))
        built = time.perf_counter() - began
        asked = random.Random(1).sample(range(records), ASKED)
        by_index, found = timed([name_of(n) for n in asked], lambda name: by_the_index(name, file))
        through, read = timed([name_of(n) for n in asked[:READ_THROUGH]], lambda name: by_reading(name, file))
    equal = found == [made[n] for n in asked] and found[:READ_THROUGH] == read
    ratio = median(through) / median(by_index)
    result = {
        "records": records,
        "asked": ASKED,
        "least": LEAST,
        "ratio": round(ratio),
        "equal_bytes": equal,
        "index_ms": round(1e3 * median(by_index), 3),
        "reading_through_ms": round(1e3 * median(through), 1),
        "building_s": round(built, 2),
    }
    print(result)
    print(keep("image_index", result))
    sys.exit(0 if equal and ratio >= LEAST else 1)


def name_of(number: int) -> str:
    return f"valid/p{number}/s01/view1_frontal.jpg"


def timed(names: list[str], read: Callable[[str], bytes]) -> tuple[list[float], list[bytes]]:
    """Return the seconds that each name took, and what was read."""
    seconds, pictures = [], []
    for name in names:
        began = time.perf_counter()
        pictures.append(read(name))
        seconds.append(time.perf_counter() - began)
    return seconds, pictures


def by_the_index(name: str, file: Path) -> bytes:
    found = find_record(name, [str(file)])
    assert found is not None
    return found.jpg


def by_reading(name: str, file: Path) -> bytes:
    for payload in read_payloads(file):
        if decode_path(payload, str(file)) == name:
            return decode_picture(payload, str(file))
    raise LookupError(name)


if __name__ == "__main__":
    main()
