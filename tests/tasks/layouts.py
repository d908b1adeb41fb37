"""Small made-up copies of the public layouts, and what a person would read out of them."""

import gzip

import numpy as np
import pandas as pd

#: The labels as CheXpert and MIMIC-CXR-JPG spell them, and as we do.
SPELLED = {
    "No Finding": "no_finding",
    "Enlarged Cardiomediastinum": "enlarged_cardiomediastinum",
    "Cardiomegaly": "cardiomegaly",
    "Lung Opacity": "airspace_opacity",
    "Lung Lesion": "lung_lesion",
    "Edema": "edema",
    "Consolidation": "consolidation",
    "Pneumonia": "pneumonia",
    "Atelectasis": "atelectasis",
    "Pneumothorax": "pneumothorax",
    "Pleural Effusion": "pleural_effusion",
    "Pleural Other": "pleural_other",
    "Fracture": "fracture",
    "Support Devices": "support_devices",
}
VALUE_NAMES = {0.0: "negative", -1.0: "uncertain", 1.0: "positive"}


def chexpert(rows=60, seed=0, dataset="train"):
    """A CheXpert `train.csv` as a frame: three images a patient, the third a lateral one of the second study."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "Path": [
                f"CheXpert-v1.0/{dataset}/patient{1 + i // 3:05d}/study{1 + (i % 3 > 0)}/view{1 + (i % 3 == 2)}_"
                f"{'lateral' if i % 3 == 2 else 'frontal'}.jpg"
                for i in range(rows)
            ],
            "Sex": rng.choice(["Male", "Female"], rows),
            "Age": rng.integers(18, 91, rows),
            "Frontal/Lateral": ["Lateral" if i % 3 == 2 else "Frontal" for i in range(rows)],
            "AP/PA": [None if i % 3 == 2 else "AP" for i in range(rows)],
        }
    )
    return frame.assign(**{name: rng.choice([np.nan, 0.0, -1.0, 1.0], rows) for name in SPELLED})


def mimic(folder, studies=40, seed=0):
    """Write the three files of MIMIC-CXR-JPG, gzipped, and return their paths and the labels and images as frames."""
    rng = np.random.default_rng(seed)
    labels = pd.DataFrame(
        {"subject_id": 10000032 + np.arange(studies) // 2, "study_id": 50000000 + rng.permutation(studies)}
    ).assign(**{name: rng.choice([np.nan, 0.0, -1.0, 1.0], studies) for name in sorted(SPELLED)})
    views = ["PA", "LATERAL", "AP", "LL", "SWIMMERS", None]
    images = pd.DataFrame(
        [
            {"dicom_id": f"{row.study_id:08x}-{i}", "subject_id": row.subject_id, "study_id": row.study_id,
             "ViewPosition": views[(n + i) % 6]}
            for n, row in enumerate(labels.itertuples())
            for i in range(1 + n % 3)
        ]
    )  # fmt: skip
    split = images[["dicom_id", "study_id", "subject_id"]].assign(
        split=["train" if s % 4 < 2 else "validate" if s % 4 == 2 else "test" for s in images["subject_id"]]
    )
    paths = {}
    for name, frame in (("chexpert", labels), ("metadata", images), ("split", split)):
        paths[name] = folder / f"mimic-cxr-2.0.0-{name}.csv.gz"
        with gzip.open(paths[name], "wt", newline="") as file:
            frame.to_csv(file, index=False)
    return paths, labels, images.merge(split, on=["dicom_id", "study_id", "subject_id"])
