"""A made-up source of the size and the shape of MIMIC-CXR: no row of it stands for a patient.

    python benchmarks/look_alike.py FOLDER [--models 4] [--images 377110]

writes the source `look-alike` into a workspace: 377,110 images in 227,827 studies of 65,379 patients, split by patient.
Findings correlate: those of a patient's studies, those of a study's labels, and a study's images share them but for a
twentieth. A model's score follows the finding and what patient, study and image add, so that models are alike, too.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxr_core.schema import LABELS
from cxr_core.warehouse.parquet import write_table

NAME = "look-alike"
IMAGES, STUDIES, PATIENTS = 377_110, 227_827, 65_379
#: Shares of patients that are in valid and in test.
VALID, TEST = 0.0076, 0.0045
PREVALENCES = np.array([0.33, 0.03, 0.2, 0.23, 0.03, 0.12, 0.05, 0.07, 0.2, 0.05, 0.24, 0.012, 0.02, 0.3])


def keys(images: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return patient, study, image, view and data set of every image, each (images,)."""
    patients, studies = max(50, images * PATIENTS // IMAGES), max(100, images * STUDIES // IMAGES)
    owner = np.sort(np.concatenate([np.arange(patients), _skewed(rng, patients, studies - patients)]))
    study = np.sort(np.concatenate([np.arange(studies), rng.integers(studies, size=images - studies)]))
    first = np.r_[True, study[1:] != study[:-1]]
    image = np.arange(images) - np.maximum.accumulate(np.where(first, np.arange(images), 0)) + 1
    drawn = rng.random(patients)
    dataset = np.where(drawn < TEST, 2, np.where(drawn < TEST + VALID, 1, 0))
    patient = owner[study]
    view = np.where(image == 1, 0, np.where(rng.random(images) < 0.7, 1, 0))
    return {"patient": patient, "study": study, "image": image, "view": view, "dataset": dataset[patient]}


def _skewed(rng: np.random.Generator, patients: int, further: int) -> np.ndarray:
    """Give most patients few of the further studies and some of them many."""
    weights = rng.gamma(0.6, size=patients)
    return rng.choice(patients, size=further, p=weights / weights.sum())


def findings(rows: dict[str, np.ndarray], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return label codes (labels, images), and what patient and study add to every score (labels, images)."""
    patients, studies = rows["patient"].max() + 1, rows["study"].max() + 1
    common = rng.normal(size=studies)
    codes, added = [], []
    for prevalence in PREVALENCES:
        of_patient, of_study = rng.normal(size=patients), rng.normal(size=studies)
        latent = 0.6 * of_patient[rows["patient"]] + (0.7 * of_study + 0.4 * common)[rows["study"]]
        positive = latent > np.quantile(latent, 1 - prevalence)
        positive ^= rng.random(latent.size) < prevalence / 20
        drawn = rng.random(studies)[rows["study"]]
        codes.append(np.where(positive, 3, np.where(drawn < 0.02 + prevalence / 10, 2, np.where(drawn < 0.2, 1, 0))))
        added.append(latent)
    return np.array(codes), np.array(added)


def make(workspace: Path, models: int = 4, images: int = IMAGES) -> Path:
    """Write the source into a workspace and return its folder."""
    rng = np.random.default_rng(14)
    rows = keys(images, rng)
    codes, added = findings(rows, rng)
    paths = [
        f"files/p{p:08d}/s{s:08d}/{i:02d}.jpg"
        for p, s, i in zip(rows["patient"], rows["study"], rows["image"], strict=True)
    ]
    frame: Any = pd.DataFrame(
        {"path": paths} | {name: column + (name in ("patient", "study")) for name, column in rows.items()}
    )
    folder = workspace / "sources" / NAME
    (folder / "predictions").mkdir(parents=True, exist_ok=True)
    (folder / "source.toml").write_text('kind = "local"\n')
    write_table(folder / "labels.parquet", frame.assign(**dict(zip(LABELS, codes, strict=True))))
    shared = rng.normal(size=codes.shape)
    for model in range(models):
        noise = 0.8 * shared + 0.6 * rng.normal(size=codes.shape)
        scores = ((codes == 3) * 1.2 + 0.8 * added + noise).astype(np.float32).astype(np.float64)
        place = folder / "predictions" / f"model{model + 1}_predictions.parquet"
        write_table(place, frame.assign(**dict(zip(LABELS, scores, strict=True))), "logit")
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", type=int, default=4)
    parser.add_argument("--images", type=int, default=IMAGES)
    chosen = parser.parse_args()
    sys.stdout.write(f"made {make(chosen.folder, chosen.models, chosen.images)}\n")


if __name__ == "__main__":
    main()
