"""A small local source in the workspace: label tables, and prediction tables with known scores."""

import numpy as np
import pandas as pd

from cxr_core.schema import LABELS, dataset_code, image_path, view_code
from cxr_core.warehouse.parquet import write_table

NAME = "small"
SOURCE_TOML = """\
kind        = "local"
labels      = ["labels_valid.parquet", "labels_test.parquet"]
predictions = "predictions/{model}_predictions.parquet"
models      = "models/{model}.h5"
"""


def keys(dataset="valid", view="frontal", n=120, per_patient=2):
    """Key columns of n images, `per_patient` of each patient."""
    patients = 10_000_000 + np.arange(n) // per_patient
    images = np.arange(n) % per_patient + 1
    paths = [image_path(dataset, int(p), 1, int(i), view) for p, i in zip(patients, images, strict=True)]
    codes = {"view": view_code(view), "dataset": dataset_code(dataset)}
    return pd.DataFrame({"path": paths, "patient": patients, "study": 1, "image": images, **codes})


def label_table(dataset="valid", seed=0, n=120):
    """Labels of n frontal and n lateral images: random codes, a third positive, a few uncertain."""
    frame = pd.concat([keys(dataset, "frontal", n), keys(dataset, "lateral", n)], ignore_index=True)
    rng = np.random.default_rng(seed)
    return frame.assign(**{label: rng.choice(4, size=len(frame), p=[0.4, 0.15, 0.1, 0.35]) for label in LABELS})


def scores_for(labels, seed, strength=1.0, names=LABELS):
    """Noisy scores that follow the positives of a label table."""
    rng = np.random.default_rng(seed)
    keys_only = labels[["path", "patient", "study", "image", "view", "dataset"]]
    return keys_only.assign(**{name: strength * (labels[name] == 3) + rng.normal(size=len(labels)) for name in names})


def write_source(workspace, n=120):
    """Write the source, n images of each view and data set, and return its label tables as one frame."""
    folder = workspace / "sources" / NAME
    tables = {dataset: label_table(dataset, seed, n) for seed, dataset in enumerate(["valid", "test"])}
    for dataset, frame in tables.items():
        write_table(folder / f"labels_{dataset}.parquet", frame)
    (folder / "source.toml").write_text(SOURCE_TOML)
    return pd.concat(tables.values(), ignore_index=True)


def write_predictions(workspace, model, frame, scale="logit"):
    path = workspace / "sources" / NAME / "predictions" / f"{model}_predictions.parquet"
    write_table(path, frame, scale, {})
    return path


def of_view(labels, view):
    return labels[labels["view"] == view_code(view)]
