"""TFRecords of small random pictures with random labels, for tests of training and prediction."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from cxr_core.records.example import Record, encode
from cxr_core.records.tfrecord import write_shards
from cxr_core.schema import LABELS, image_path


def random_record(seed: int, size: int = 320, keys: bool = True, path: bool = True) -> Record:
    """A record whose picture is brighter when cardiomegaly is positive."""
    rng = np.random.default_rng(seed)
    codes = rng.choice(4, size=14, p=[0.4, 0.2, 0.15, 0.25])
    pixels = rng.integers(0, 150, (10, 10)) + 100 * (codes[2] == 3)
    content = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).resize((size, size)).save(content, "JPEG")
    numbers = {"patient": 10_000_000 + seed // 2, "study": 1, "image": 1 + seed % 2, "view": 0, "dataset": 1}
    name = image_path("valid", numbers["patient"], 1, numbers["image"], "frontal")
    labels = dict(zip(LABELS, (int(code) for code in codes), strict=True))
    return Record(content.getvalue(), labels, numbers if keys else {}, name if path else None)


def write_random_records(folder: Path, count: int, shards: int = 2, first: int = 0, **options: bool) -> list[Path]:
    payloads = [encode(random_record(seed, **options)) for seed in range(first, first + count)]
    return write_shards(folder, "frontal", payloads, shards)


def random_codes(count: int) -> np.ndarray:
    """The label codes of the first records, in the order in which they were made."""
    return np.array([[random_record(seed).labels[label] for label in LABELS] for seed in range(count)])
