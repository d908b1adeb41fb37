"""A small local source with label tables and TFRecords of tiny random pictures."""

import io

import numpy as np
import pandas as pd
from PIL import Image

from cxr_core.records.example import Record, encode
from cxr_core.records.tfrecord import write_shards
from cxr_core.schema import DATASETS, INTEGER_KEYS, LABELS, dataset_code, image_path, view_code
from cxr_core.warehouse.parquet import write_table

NAME = "tiny"
IMAGES = {"train": 24, "valid": 12, "test": 6}
SOURCE_TOML = """\
kind      = "local"
synthetic = true
labels    = ["labels_*.parquet"]
records   = "records/{dataset}/{view}*"
"""


def jpeg(seed, size=320):
    pixels = np.random.default_rng(seed).integers(0, 255, (10, 10), dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).resize((size, size)).save(content, "JPEG")
    return content.getvalue()


def record(dataset, view, number, size=320, with_path=True):
    keys = dict(zip(INTEGER_KEYS, (100 + number, 1, 1, view_code(view), dataset_code(dataset)), strict=True))
    labels = {label: (number + place) % 4 for place, label in enumerate(LABELS)}
    path = image_path(dataset, keys["patient"], 1, 1, view)
    return Record(jpg=jpeg(number, size), labels=labels, keys=keys, path=path if with_path else None)


def write_source(workspace, datasets=DATASETS, views=("frontal", "lateral"), with_path=True):
    """Write the source into the workspace and return its folder."""
    folder = workspace / "sources" / NAME
    for dataset in datasets:
        records = [
            record(dataset, view, number, with_path=with_path) for view in views for number in range(IMAGES[dataset])
        ]
        rows = [{"path": image_path(dataset, r.keys["patient"], 1, 1, _view(r))} | r.keys | r.labels for r in records]
        write_table(folder / f"labels_{dataset}.parquet", pd.DataFrame(rows))
        for view in views:
            payloads = [encode(r) for r in records if _view(r) == view]
            write_shards(folder / "records" / dataset, view, payloads, 2)
    (folder / "source.toml").write_text(SOURCE_TOML)
    return folder


def _view(made):
    return "frontal" if made.keys["view"] == 0 else "lateral"
