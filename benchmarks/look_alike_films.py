"""TFRecords for some films of the look-alike of MIMIC-CXR: noise of the size of a film, by the product's own writer.

    python benchmarks/look_alike_films.py FOLDER [--films 3000]

writes them into the source `look-alike` that `look_alike.py` made there: the first films of what Images shows as not
mentioned for edema by the first model.
"""

import argparse
import io
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from look_alike import NAME
from PIL import Image

from cxr_core.records.example import Record, encode
from cxr_core.records.tfrecord import write_shards
from cxr_core.schema import DATASETS, INTEGER_KEYS, LABELS, RECORD_IMAGE_SIZE, VIEWS, Value

FILMS, LABEL = 3000, "edema"


def shown_first(folder: Path, films: int, label: str) -> pd.DataFrame:
    """Return the label rows of the training images of which a label says nothing, the highest scored first."""
    labels = pd.read_parquet(folder / "labels.parquet")
    scores = pd.read_parquet(folder / "predictions" / "model1_predictions.parquet", columns=["path", label])
    blank = labels[(labels[label] == Value.not_mentioned) & (labels["dataset"] == 0)]
    scored = blank.merge(scores, on="path", suffixes=("", "_score"))
    return scored.nlargest(films, f"{label}_score")


def film(rng: np.random.Generator) -> bytes:
    """Return a JPEG of a film's size, with as many bytes as one of a phantom."""
    coarse = Image.fromarray(rng.integers(0, 255, (40, 40), dtype=np.uint8))
    content = io.BytesIO()
    coarse.resize((RECORD_IMAGE_SIZE, RECORD_IMAGE_SIZE)).save(content, "JPEG")
    return content.getvalue()


def make_films(workspace: Path, films: int = FILMS, label: str = LABEL) -> Path:
    """Write the records into the look-alike of a workspace and return their folder."""
    folder, rng = workspace / "sources" / NAME, np.random.default_rng(16)
    payloads: dict[tuple[str, str], list[bytes]] = {}
    for row in shown_first(folder, films, label).to_dict("records"):
        keys = {name: int(row[name]) for name in INTEGER_KEYS}
        record = Record(film(rng), {name: int(row[name]) for name in LABELS}, keys, str(row["path"]))
        payloads.setdefault((DATASETS[keys["dataset"]], VIEWS[keys["view"]]), []).append(encode(record))
    for (dataset, view), records in payloads.items():
        write_shards(folder / "records" / dataset, view, records, 4)
    return folder / "records"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--films", type=int, default=FILMS)
    chosen = parser.parse_args()
    sys.stdout.write(f"made {make_films(chosen.folder, chosen.films)}\n")


if __name__ == "__main__":
    main()
