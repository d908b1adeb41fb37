"""The guides of docs/public-layouts.md, followed word for word; counts are those of pandas on the files themselves."""

import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from layouts import SPELLED, chexpert, mimic

from cxr_core.cli import main
from cxr_core.sources.registry import get_source

DOC = (Path(__file__).parents[2] / "docs" / "public-layouts.md").read_text()
CODES = {0.0: 1, -1.0: 2, 1.0: 3}
RNG = np.random.default_rng(5)


def follow(title, monkeypatch, folder):
    section = DOC.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    monkeypatch.chdir(folder)
    for line in re.search(r"```sh\n(.*?)```", section, re.DOTALL)[1].splitlines():
        words = shlex.split(line)
        assert words[0] == "cxr" and main(words[1:]) == 0, line
    return get_source(words[words.index("--source") + 1]).warehouse()


def codes(column):
    return column.map(CODES).fillna(0).astype(int)


def counted(warehouse, label):
    return warehouse.labels()[label].value_counts().to_dict()


def same(warehouse, expected):
    """Whether each label has the values that pandas counts, and no other label is stated."""
    for label, column in expected.items():
        assert counted(warehouse, label) == column.value_counts().to_dict(), label
    for label in set(SPELLED.values()) - set(expected):
        assert counted(warehouse, label) == {-1: len(warehouse.labels())}, label


@pytest.fixture
def mimic_files(tmp_path):
    paths, _, _ = mimic(tmp_path)
    frames = {name: pd.read_csv(path) for name, path in paths.items()}
    for name, frame in frames.items():
        frame.to_csv(tmp_path / f"mimic-cxr-2.0.0-{name}.csv", index=False)
    images = frames["metadata"].merge(frames["split"][["dicom_id", "split"]], on="dicom_id")
    return images.merge(frames["chexpert"], on=["subject_id", "study_id"]), frames["chexpert"]


def test_mimic_2_1(mimic_files, tmp_path, monkeypatch):
    joined, labels = mimic_files
    hand = pd.DataFrame({"study_id": labels["study_id"].head(6), "Airspace Opacity": [1.0, 0, 1, np.nan, -1, 0]})
    hand.to_csv(tmp_path / "mimic-cxr-2.1.0-test-set-labeled.csv", index=False)
    warehouse = follow("MIMIC-CXR-JPG 2.1", monkeypatch, tmp_path)
    same(warehouse, {label: codes(joined[spelled]) for spelled, label in SPELLED.items()})
    read = warehouse.readings("radiologist")
    assert len(read) == 6 and sorted(read["airspace_opacity"]) == [0, 1, 1, 2, 3, 3]


def test_mimic_in_one_file(mimic_files, tmp_path, monkeypatch):
    joined, _ = mimic_files
    joined.to_csv(tmp_path / "merged.csv", index=False)
    warehouse = follow("MIMIC-CXR-JPG in one file", monkeypatch, tmp_path)
    same(warehouse, {label: codes(joined[spelled]) for spelled, label in SPELLED.items()})
    sets = joined["split"].map({"train": 0, "validate": 1, "test": 2})
    assert warehouse.labels()["dataset"].value_counts().to_dict() == sets.value_counts().to_dict()


def test_chexpert_plus(tmp_path, monkeypatch):
    raw = chexpert(30)
    table = pd.DataFrame({"path_to_image": raw["Path"], "frontal_lateral": raw["Frontal/Lateral"], "split": "train"})
    table.assign(deid_patient_id=raw["Path"].str.extract(r"(patient\d+)")[0]).to_csv(
        tmp_path / "df_chexpert_plus_240401.csv", index=False
    )
    labels = raw[["Path", *SPELLED]].rename(columns={"Path": "path_to_image"})
    labels.to_json(tmp_path / "report_fixed.json", orient="records", lines=True)
    warehouse = follow("CheXpert-Plus", monkeypatch, tmp_path)
    same(warehouse, {label: codes(raw[spelled]) for spelled, label in SPELLED.items()})


def test_nih(tmp_path, monkeypatch):
    names = [f"{n // 3:08d}_{n % 3:03d}.png" for n in range(60)]
    findings = RNG.choice(["Cardiomegaly", "Effusion|Mass", "No Finding", "Infiltration", "Edema|Effusion"], 60)
    pd.DataFrame(
        {"Image Index": names, "Finding Labels": findings, "Patient ID": [n // 3 for n in range(60)],
         "Patient Age": "058Y", "Patient Gender": "M", "View Position": "PA"}
    ).to_csv(tmp_path / "Data_Entry_2017.csv", index=False)  # fmt: skip
    (tmp_path / "train_val_list.txt").write_text("\n".join(names[:45]) + "\n")
    (tmp_path / "test_list.txt").write_text("\n".join(names[45:]))
    (tmp_path / "BBox_List_2017.csv").write_text(
        f"Image Index,Finding Label,Bbox [x,y,w,h],,,\n{names[0]},Cardiomegaly,1,2,3,4,,,\n"
    )
    warehouse = follow("NIH ChestX-ray14", monkeypatch, tmp_path)
    words = pd.Series(findings).str.split("|")
    has = {
        "cardiomegaly": "Cardiomegaly", "pleural_effusion": "Effusion", "no_finding": "No Finding", "edema": "Edema"
    }  # fmt: skip
    same(warehouse, {ours: words.map(lambda row, w=w: 3 if w in row else 1) for ours, w in has.items()})
    assert warehouse.labels()["dataset"].value_counts().to_dict() == {0: 45, 2: 15}


def readers_of(images, readers=("R1", "R2", "R3")):
    return pd.DataFrame({"image": np.repeat(images, len(readers)), "reader": list(readers) * len(images)})


def majority(frame, column):
    return (frame.groupby("image")[column].mean() > 0.5).map({True: 3, False: 1})


def test_googles_labels_for_nih(tmp_path, monkeypatch):
    frame = readers_of([f"{n:08d}_000.png" for n in range(1, 21)])
    frame[["Fracture", "Airspace opacity", "Nodule or mass"]] = RNG.integers(0, 2, (60, 3))
    words = frame.replace({"Fracture": {0: "NO", 1: "YES"}}).astype(str)
    for name in ("Fracture", "Airspace opacity", "Nodule or mass"):
        words[name] = frame[name].map({0: "NO", 1: "YES"})
    words.rename(columns={"image": "Image Index", "reader": "Reader ID"}).to_csv(
        tmp_path / "test_individual_readers.csv", index=False
    )
    warehouse = follow("Google's labels for NIH", monkeypatch, tmp_path)
    expected = {"fracture": "Fracture", "airspace_opacity": "Airspace opacity"}
    same(warehouse, {ours: majority(frame, theirs) for ours, theirs in expected.items()})
    assert len(warehouse.readings("readers")) == 60


def test_padchest(tmp_path, monkeypatch):
    lists = RNG.choice(["['normal']", "['pleural effusion', 'cardiomegaly']", "['nodule']"], 40)
    views = RNG.choice(["PA", "L", "AP_horizontal", "COSTAL"], 40)
    pd.DataFrame(
        {"ImageID": [f"x_{n}.png" for n in range(40)], "ImageDir": 0, "StudyID": [f"s{n}" for n in range(40)],
         "PatientID": [f"p{n // 2}" for n in range(40)], "PatientSex_DICOM": "F", "Projection": views,
         "MethodLabel": "Physician", "Labels": lists}
    ).to_csv(tmp_path / "PADCHEST_chest_x_ray_images_labels.csv")  # fmt: skip
    warehouse = follow("PadChest", monkeypatch, tmp_path)
    words = {"no_finding": "normal", "pleural_effusion": "pleural effusion", "cardiomegaly": "cardiomegaly"}
    same(warehouse, {ours: pd.Series(lists).map(lambda row, w=w: 3 if w in row else 1) for ours, w in words.items()})
    projections = pd.Series(views).map({"PA": 0, "AP_horizontal": 0, "L": 1, "COSTAL": 2})
    assert warehouse.labels()["view"].value_counts().to_dict() == projections.value_counts().to_dict()


def test_vindr(tmp_path, monkeypatch):
    train = readers_of([f"a{n:031d}" for n in range(20)])
    theirs = {"cardiomegaly": "Cardiomegaly", "airspace_opacity": "Lung Opacity", "no_finding": "No finding"}
    train[[*theirs.values(), "Aortic enlargement"]] = RNG.integers(0, 2, (60, 4))
    names = {"image": "image_id", "reader": "rad_id"}
    train.rename(columns=names).to_csv(tmp_path / "image_labels_train.csv", index=False)
    test = train.drop_duplicates("image").drop(columns="reader").assign(image=[f"b{n:031d}" for n in range(20)])
    test.rename(columns=names).to_csv(tmp_path / "image_labels_test.csv", index=False)
    warehouse = follow("VinDr-CXR", monkeypatch, tmp_path)
    both = {
        ours: pd.concat([majority(train, column), test[column].map({0: 1, 1: 3})]) for ours, column in theirs.items()
    }
    same(warehouse, both)
    assert warehouse.labels()["dataset"].value_counts().to_dict() == {0: 20, 2: 20}
    assert len(warehouse.readings("readers")) == 60


def test_rsna(tmp_path, monkeypatch):
    frame = pd.DataFrame(
        {"patientId": [f"p-{n // 2}" for n in range(30)], "x": 1, "y": 2, "Target": [1, 1, 0, 0] * 7 + [1, 1]}
    )
    frame.drop_duplicates(["patientId", "Target"]).to_csv(tmp_path / "stage_2_train_labels.csv", index=False)
    warehouse = follow("RSNA Pneumonia Detection Challenge", monkeypatch, tmp_path)
    same(warehouse, {"airspace_opacity": frame.groupby("patientId")["Target"].max().map({0: 1, 1: 3})})


def test_siim(tmp_path, monkeypatch):
    frame = pd.DataFrame({"ImageId": ["a", "a", "b", "c"], " EncodedPixels": ["1 2 3 4", "7 8", " -1", "9 1"]})
    frame.to_csv(tmp_path / "train-rle.csv", index=False)
    warehouse = follow("SIIM-ACR Pneumothorax", monkeypatch, tmp_path)
    there = frame[" EncodedPixels"].str.strip().ne("-1").groupby(frame["ImageId"]).any()
    same(warehouse, {"pneumothorax": there.map({True: 3, False: 1})})


def test_brax(tmp_path, monkeypatch):
    raw = chexpert(30)
    numbers = range(30)
    pd.DataFrame(
        {"DicomPath": "x", "PngPath": [f"images/id_{n}/Study_1/{n}.png" for n in numbers],
         "PatientID": [f"id_{n}" for n in numbers], "PatientSex": "F", "PatientAge": "85 or more",
         "AccessionNumber": [f"Study_{n}.1" for n in numbers], "ViewPosition": ["PA", "L", "AP"] * 10,
         **{name: raw[name] for name in SPELLED}}
    ).to_csv(tmp_path / "master_spreadsheet_update.csv", index=False)  # fmt: skip
    warehouse = follow("BRAX", monkeypatch, tmp_path)
    same(warehouse, {label: codes(raw[spelled]) for spelled, label in SPELLED.items()})
    assert warehouse.labels()["view"].value_counts().to_dict() == {0: 20, 1: 10}


def test_indiana(tmp_path, monkeypatch):
    problems = pd.Series(RNG.choice(["normal", "Cardiomegaly;Nodule", "Fractures, Bone", "Pulmonary Atelectasis"], 20))
    pd.DataFrame({"uid": range(1, 21), "Problems": problems}).to_csv(tmp_path / "indiana_reports.csv", index=False)
    images = pd.DataFrame({"uid": np.repeat(range(1, 21), 2), "projection": ["Frontal", "Lateral"] * 20})
    images["filename"] = [f"{n}.dcm.png" for n in range(40)]
    images.to_csv(tmp_path / "indiana_projections.csv", index=False)
    warehouse = follow("Indiana University", monkeypatch, tmp_path)
    per_image = images["uid"].map(dict(zip(range(1, 21), problems, strict=True)))
    words = {
        "no_finding": "normal",
        "cardiomegaly": "Cardiomegaly",
        "fracture": "Fractures",
        "atelectasis": "Atelectasis",
    }
    same(warehouse, {ours: per_image.map(lambda text, w=w: 3 if w in text else 1) for ours, w in words.items()})


def test_every_guide_of_the_page_has_its_test():
    followed = set(re.findall(r'follow\("([^"]+)"', Path(__file__).read_text()))
    assert set(re.findall(r"^## (.+)\n\n```sh", DOC, re.MULTILINE)) == followed
