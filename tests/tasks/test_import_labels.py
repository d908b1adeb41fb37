import json

import numpy as np
import pandas as pd
import pytest
from layouts import SPELLED, VALUE_NAMES, chexpert, mimic

from cxr_core.errors import ExistsError, TableError, UsageError
from cxr_core.schema import LABELS, VALUES
from cxr_core.sources.importing.choices import ImportChoices
from cxr_core.sources.registry import get_source
from cxr_core.tasks.import_labels import import_labels


def labels_of(source, *extra):
    return get_source(source).warehouse().labels(extra=extra)


def written(frame, path):
    frame.to_csv(path, index=False)
    return path


def test_every_label_value_and_view_of_a_chexpert_file_is_counted_as_pandas_counts_it(tmp_path):
    train, valid = chexpert(), chexpert(30, seed=1, dataset="valid")
    import_labels("mine", [written(train, tmp_path / "train.csv")], ImportChoices())
    import_labels("mine", [written(valid, tmp_path / "valid.csv")], ImportChoices())
    for view in ("frontal", "lateral"):
        counted = get_source("mine").warehouse().distribution(view).set_index(["label", "value", "dataset"])["images"]
        for name, raw in (("train", train), ("valid", valid)):
            rows = raw[raw["Frontal/Lateral"].str.lower() == view]
            for spelled, label in SPELLED.items():
                values = rows[spelled].map(VALUE_NAMES).fillna("not_mentioned").value_counts()
                for value in VALUES:
                    assert counted[label, value, name] == values.get(value, 0)
    counts = get_source("mine").warehouse().counts().set_index(["dataset", "view"])
    assert counts.loc[("train", "all"), ["images", "studies", "patients"]].tolist() == [60, 40, 20]


def test_the_keys_and_properties_of_a_chexpert_file_are_kept(tmp_path):
    raw = chexpert(6)
    import_labels("mine", [written(raw, tmp_path / "train.csv")], ImportChoices())
    rows = labels_of("mine", "sex", "age").set_index("path").loc[raw["Path"]]
    assert rows["patient"].tolist() == [1, 1, 1, 2, 2, 2]
    assert rows["study"].tolist() == [1, 2, 2, 1, 2, 2]
    assert rows["image"].tolist() == [1, 1, 2, 1, 1, 2]
    assert rows["sex"].tolist() == [sex[0] for sex in raw["Sex"]]
    assert rows["age"].tolist() == raw["Age"].tolist()


def test_chexpert_test_labels_by_study_become_study_rows(tmp_path):
    path = tmp_path / "groundtruth.csv"
    path.write_text("Study,Edema,Lung Opacity\nCheXpert-v1.0/test/patient64741/study1,1.0,0.0\n")
    import_labels("mine", [path], ImportChoices())
    row = labels_of("mine").iloc[0]
    assert (row["path"], row["patient"], row["study"]) == ("CheXpert-v1.0/test/patient64741/study1", 64741, 1)
    assert (row["image"], row["view"], row["dataset"]) == (0, -1, 2)
    assert (row["edema"], row["airspace_opacity"], row["fracture"]) == (3, 1, -1)


def test_mimic_labels_are_joined_from_the_study_to_its_images(tmp_path):
    paths, labels, images = mimic(tmp_path)
    done = import_labels("mimic", list(paths.values()), ImportChoices())
    assert (done.read, done.written, done.refused) == (len(images), len(images), 0)
    rows = labels_of("mimic").set_index("path")
    by_study = labels.set_index("study_id")
    views = {"PA": 0, "AP": 0, "LATERAL": 1, "LL": 1}
    datasets = {"train": 0, "validate": 1, "test": 2}
    for image in images.itertuples():
        row = rows.loc[f"files/p10/p{image.subject_id}/s{image.study_id}/{image.dicom_id}.jpg"]
        assert (row["patient"], row["study"]) == (image.subject_id, image.study_id)
        assert (row["view"], row["dataset"]) == (views.get(image.ViewPosition, 2), datasets[image.split])
        for spelled, label in SPELLED.items():
            value = VALUE_NAMES.get(by_study.loc[image.study_id, spelled], "not_mentioned")
            assert VALUES[row[label]] == value
    assert (
        rows.groupby("study")["image"].apply(lambda numbers: sorted(numbers) == list(range(1, len(numbers) + 1))).all()
    )


def test_the_files_of_mimic_may_have_their_rows_in_any_order(tmp_path):
    paths, _, images = mimic(tmp_path)
    for place, name in enumerate(("chexpert", "split")):
        pd.read_csv(paths[name]).sample(frac=1, random_state=place).to_csv(paths[name], index=False)
    import_labels("mimic", list(paths.values()), ImportChoices())
    stored = labels_of("mimic")["path"].str.extract(r"/(?P<dicom_id>[^/]+)\.jpg$")
    found = stored.assign(dataset=labels_of("mimic")["dataset"]).set_index("dicom_id")["dataset"]
    datasets = {"train": 0, "validate": 1, "test": 2}
    assert found.to_dict() == images.set_index("dicom_id")["split"].map(datasets).to_dict()


def test_a_bad_cell_of_mimic_leaves_out_the_images_of_its_study_when_asked(tmp_path):
    paths, _, images = mimic(tmp_path)
    labels = pd.read_csv(paths["chexpert"]).astype({"Edema": object})
    labels.loc[4, "Edema"] = "x"
    labels.to_csv(paths["chexpert"], index=False)
    with pytest.raises(TableError, match=r"chexpert.csv.gz, line 6: Edema must be blank, 0, -1 or 1"):
        import_labels("mimic", list(paths.values()), ImportChoices())
    done = import_labels("mimic", list(paths.values()), ImportChoices(skip_bad_rows=True))
    lost = images["study_id"] == labels.loc[4, "study_id"]
    assert (done.refused, done.written) == (1, int((~lost).sum()))
    assert labels.loc[4, "study_id"] not in labels_of("mimic")["study"].tolist()


def test_mimic_images_of_unlabelled_studies_are_left_out_and_said(tmp_path):
    paths, _, images = mimic(tmp_path)
    labels = pd.read_csv(paths["chexpert"])
    labels[labels["study_id"] != images["study_id"][0]].to_csv(paths["chexpert"], index=False)
    done = import_labels("mimic", list(paths.values()), ImportChoices())
    lost = int((images["study_id"] == images["study_id"][0]).sum())
    assert (done.read, done.written, done.refused) == (len(images), len(images) - lost, 0)
    assert f"{lost} image" in done.notes[0]
    assert "of studies without labels" in done.notes[0]


def test_the_notebooks_own_layout_comes_back_as_it_was(demo, tmp_path, monkeypatch):
    frame = get_source("demo").warehouse().labels().head(300)
    monkeypatch.setenv("CXR_HOME", str(tmp_path / "own"))
    import_labels("copy", [written(frame, tmp_path / "labels.csv")], ImportChoices())
    pd.testing.assert_frame_equal(get_source("copy").warehouse().labels(), frame)
    frame.to_parquet(tmp_path / "labels.parquet")
    import_labels("copy2", [tmp_path / "labels.parquet"], ImportChoices())
    pd.testing.assert_frame_equal(get_source("copy2").warehouse().labels(), frame)


def test_a_path_that_is_there_is_refused_unless_it_is_to_be_replaced(tmp_path):
    raw = chexpert(6)
    path = written(raw, tmp_path / "train.csv")
    import_labels("mine", [path], ImportChoices())
    before = labels_of("mine")
    with pytest.raises(ExistsError, match="6 of these paths already"):
        import_labels("mine", [path], ImportChoices())
    pd.testing.assert_frame_equal(labels_of("mine"), before)
    import_labels("mine", [written(raw.assign(Edema=1.0), path)], ImportChoices(), replace=True)
    after = labels_of("mine")
    assert (after["edema"] == 3).all()
    pd.testing.assert_frame_equal(after.drop(columns="edema"), before.drop(columns="edema"))


def test_images_that_come_later_to_a_study_are_numbered_on(tmp_path):
    raw = chexpert(6)
    import_labels("mine", [written(raw.iloc[:5], tmp_path / "train.csv")], ImportChoices())
    import_labels("mine", [written(raw.iloc[5:], tmp_path / "more_train.csv")], ImportChoices())
    assert labels_of("mine").set_index("path").loc[raw["Path"], "image"].tolist() == [1, 1, 2, 1, 1, 2]
    import_labels("mine", [written(raw.iloc[4:], tmp_path / "train.csv")], ImportChoices(), replace=True)
    assert labels_of("mine").set_index("path").loc[raw["Path"], "image"].tolist() == [1, 1, 2, 1, 1, 2]


def test_a_path_in_two_files_that_come_together_is_refused(tmp_path):
    raw = chexpert(6)
    files = [written(raw.iloc[:4], tmp_path / "a_train.csv"), written(raw.iloc[3:], tmp_path / "b_train.csv")]
    with pytest.raises(TableError, match=r"Each path must stand once in the files. Received twice: .*patient00002"):
        import_labels("mine", files, ImportChoices())
    assert not list((tmp_path / "workspace").rglob("labels.parquet"))


def test_dataset_overrides_a_column_of_the_file_too(tmp_path):
    (tmp_path / "x.csv").write_text("path,patient,view,split,Edema\na.png,1,PA,train,1\nb.png,2,PA,valid,0\n")
    import_labels("mine", [tmp_path / "x.csv"], ImportChoices(dataset="test"))
    assert labels_of("mine")["dataset"].tolist() == [2, 2]


def test_dataset_overrides_the_file_and_view_serves_where_it_has_none(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("path,patient,study,Edema\na.png,p1,x,1\nb.png,p2,y,\n")
    with pytest.raises(UsageError, match="--dataset"):
        import_labels("mine", [path], ImportChoices(view="frontal"))
    with pytest.raises(TableError, match=r"mine.csv, line 2: .*--view"):
        import_labels("mine", [path], ImportChoices(dataset="valid"))
    assert not (tmp_path / "workspace" / "sources" / "mine").exists()
    import_labels("mine", [path], ImportChoices(dataset="valid", view="lateral"))
    rows = labels_of("mine")
    assert (rows["dataset"] == 1).all() and (rows["view"] == 1).all()
    assert rows["edema"].tolist() == [3, 0] and (rows["fracture"] == -1).all()


def test_one_wrong_cell_refuses_the_file_and_is_named(tmp_path):
    raw = chexpert(9).astype(object)
    raw.loc[4, "Edema"] = 2
    path = written(raw, tmp_path / "train.csv")
    with pytest.raises(TableError, match=r"train.csv, line 6: Edema must be blank, 0, -1 or 1. Received: '2'"):
        import_labels("mine", [path], ImportChoices())
    assert not (tmp_path / "workspace" / "sources").exists()
    done = import_labels("mine", [path], ImportChoices(skip_bad_rows=True))
    assert (done.read, done.written, done.refused) == (9, 8, 1)


@pytest.mark.parametrize("column", [*SPELLED, "Path", "Sex", "Age", "Frontal/Lateral"])
@pytest.mark.parametrize("row", [0, 7])
def test_whichever_cell_is_wrong_is_the_one_that_is_named(tmp_path, column, row):
    raw = chexpert(9).astype(object)
    raw.loc[row, column] = "" if column == "Path" else "wrong"
    path = written(raw, tmp_path / "train.csv")
    with pytest.raises(TableError) as refused:
        import_labels("mine", [path], ImportChoices())
    assert f"line {row + 2}: {column} " in str(refused.value)


def test_ids_that_are_no_integers_get_the_same_integers_at_every_import(tmp_path):
    for name, patients in (("train", ["abc", "zz"]), ("valid", ["zz", "mm"])):
        rows = "".join(f"{name}/{p}_frontal.png,{p},{p}-1,1\n" for p in patients)
        (tmp_path / f"{name}.csv").write_text("path,patient,study,Edema\n" + rows)
        done = import_labels("mine", [tmp_path / f"{name}.csv"], ImportChoices())
    rows = labels_of("mine")
    by_path = rows.set_index("path")["patient"]
    assert by_path["train/zz_frontal.png"] == by_path["valid/zz_frontal.png"]
    assert rows["patient"].nunique() == 3
    assert "1 patient is in more than one data set" in done.notes[-1]


def test_the_demo_and_configured_sources_are_not_imported_into(tmp_path, monkeypatch):
    path = written(chexpert(3), tmp_path / "train.csv")
    with pytest.raises(UsageError, match="demo"):
        import_labels("demo", [path], ImportChoices())
    (tmp_path / "cxr.toml").write_text('[sources.mine]\nkind = "local"\n')
    with pytest.raises(UsageError, match=r"written in .*cxr.toml"):
        import_labels("mine", [path], ImportChoices())


def test_the_command_prints_counts_and_refuses_in_one_line(cxr, tmp_path):
    path = written(chexpert(9), tmp_path / "train.csv")
    done = cxr("import", "labels", str(path), "--source", "mine", "--json")
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    assert (counts["read"], counts["written"], counts["refused"]) == (9, 9, 0)
    again = cxr("import", "labels", str(path), "--source", "mine", "--json")
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr.count("\n") == 1 and "--replace" in again.stderr


@pytest.mark.slow
def test_223_000_rows_are_all_there(tmp_path):
    rng = np.random.default_rng(0)
    n = 223_000
    frame = pd.DataFrame(
        {"Path": [f"CheXpert-v1.0/train/patient{i // 3:05d}/study1/view{i}_frontal.jpg" for i in range(n)]}
    )
    frame = frame.assign(**{name: rng.choice([np.nan, 0.0, -1.0, 1.0], n) for name in SPELLED})
    done = import_labels("big", [written(frame, tmp_path / "train.csv")], ImportChoices())
    assert done.written == n
    counted = get_source("big").warehouse().distribution("frontal").groupby("value")["images"].sum()
    raw = frame[list(SPELLED)]
    assert counted["uncertain"] == int((raw == -1).sum().sum())
    assert counted["not_mentioned"] == int(raw.isna().sum().sum())
    assert counted.sum() == n * len(LABELS)
