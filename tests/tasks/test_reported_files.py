"""Files as people have them, by the command line: each gives the right rows, or a refusal with the way out."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from layouts import SPELLED, chexpert
from sklearn.metrics import roc_auc_score

from cxr_core.cli import main
from cxr_core.sources.registry import get_source

NAMES = list(SPELLED)


@pytest.fixture
def run(capsys):
    """Return what a command printed as JSON, or its one line of refusal."""

    def run(*words):
        status = main([str(word) for word in words] + ["--json"])
        out, err = capsys.readouterr()
        if status:
            assert status == 2 and not out and err.count("\n") == 1, err
            return err
        return json.loads(out)

    return run


@pytest.fixture
def base(tmp_path, run):
    """A source `base` of 60 images, and predictions of them by their paths."""
    labels = chexpert(60, dataset="valid")
    labels["Path"] = labels["Path"].str.replace("CheXpert-v1.0/", "CheXpert-v1.0-small/")
    labels.to_csv(tmp_path / "valid.csv", index=False)
    run("import", "labels", tmp_path / "valid.csv", "--source", "base")
    rng = np.random.default_rng(3)
    scores = pd.DataFrame(rng.uniform(size=(60, len(NAMES))), columns=NAMES).round(5)
    scores.insert(0, "Path", labels["Path"])
    return labels, scores


def same_figures(run, labels, scores):
    """Whether the figures are scikit-learn's on the rows that belong together."""
    found = run("evaluate", "theirs", "--source", "base", "--dataset", "valid")["labels"]
    for spelled, label in SPELLED.items():
        certain = labels[spelled] != -1
        expected = roc_auc_score(labels.loc[certain, spelled] == 1, scores.loc[certain, spelled])
        assert found[label]["roc_auc"] == pytest.approx(expected), label
    return True


PATHS = {
    "as they are": ("path", lambda path: path),
    "another root": ("tail", lambda path: "/home/me/data/" + path),
    "backslashes": ("tail", lambda path: path.replace("/", "\\")),
    "capitals and another ending": ("tail", lambda path: path.upper().replace(".JPG", ".png")),
    "a shorter path": ("tail", lambda path: path.split("/", 1)[1]),
}


@pytest.mark.parametrize("kind", PATHS)
def test_predictions_meet_their_images_whatever_is_before_and_after(kind, base, run, tmp_path):
    way, change = PATHS[kind]
    labels, scores = base
    scores.assign(Path=scores["Path"].map(change)).to_csv(tmp_path / "p.csv", index=False)
    done = run("import", "predictions", tmp_path / "p.csv", "--model", "theirs", "--source", "base")
    assert (done["written"], done["unmatched"], done["matched"][way]) == (60, 0, 60)
    assert same_figures(run, labels, scores)


def test_what_meets_no_image_is_counted_and_five_are_shown(base, run, tmp_path):
    _, scores = base
    scores.loc[:11, "Path"] = [f"/elsewhere/{number}.jpg" for number in range(12)]
    scores.to_csv(tmp_path / "p.csv", index=False)
    done = run("import", "predictions", tmp_path / "p.csv", "--model", "theirs", "--source", "base")
    assert (done["written"], done["unmatched"]) == (48, 12)
    assert done["unmatched_examples"] == [f"/elsewhere/{number}.jpg" for number in range(5)]
    assert "12 did not, the first: '/elsewhere/0.jpg'" in done["notes"][-1]


DIALECTS = {
    "byte order mark": (lambda frame: frame.to_csv(index=False).encode("utf-8-sig"), "byte order mark"),
    "semicolons": (lambda frame: frame.to_csv(index=False, sep=";", decimal=",").encode(), "decimal commas"),
    "tabs in UTF-16": (lambda frame: frame.to_csv(index=False, sep="\t").encode("utf-16"), "tabs"),
    "CR": (lambda frame: frame.to_csv(index=False, lineterminator="\r").encode(), "CR"),
    "reports": (lambda frame: frame.assign(report="FINDINGS: clear.\n\nNo \"new\" change").to_csv(index=False).encode(),
                "line breaks inside cells"),
    "the path as image": (lambda frame: frame.rename(columns={"Path": "image"}).to_csv(index=False).encode(),
                          "The column 'image' holds paths"),
}  # fmt: skip


@pytest.mark.parametrize("kind", DIALECTS)
def test_predictions_are_read_in_every_dialect_and_what_was_recognised_is_said(kind, base, run, tmp_path):
    write, said = DIALECTS[kind]
    labels, scores = base
    (tmp_path / "p.csv").write_bytes(write(scores))
    done = run("import", "predictions", tmp_path / "p.csv", "--model", "theirs", "--source", "base")
    assert done["written"] == 60 and said in " ".join(done["notes"])
    assert same_figures(run, labels, scores)


def test_two_columns_of_paths_are_asked_and_one_option_decides(base, run, tmp_path):
    _, scores = base
    scores.assign(filename=scores["Path"].str.rsplit("/", n=1).str[1]).to_csv(tmp_path / "p.csv", index=False)
    words = ("import", "predictions", tmp_path / "p.csv", "--model", "theirs", "--source", "base")
    refused = run(*words)
    assert "--column path=Path" in refused and "--column path=filename" in refused
    assert run(*words, "--column", "path=Path")["written"] == 60


def test_numbers_of_a_model_are_no_labels_and_the_command_for_them_is_named(base, run, tmp_path):
    _, scores = base
    scores.to_csv(tmp_path / "train.csv", index=False, sep=";", decimal=",")
    assert "import predictions" in run("import", "labels", tmp_path / "train.csv", "--source", "mine")


@pytest.mark.parametrize("what", ["images", "predictions", "readings"])
def test_what_comes_before_its_labels_is_told_the_order_of_the_steps(what, run, tmp_path):
    (tmp_path / "x.csv").write_text("Path,Edema\na.png,1\n")
    more = ("--model", "m") if what == "predictions" else ()
    refused = run("import", what, tmp_path / "x.csv", "--source", "new", *more)
    assert "Unknown source 'new'. A source begins with its labels: `import labels FILE --source new`" in refused
    assert f"then its {what}" in refused


VINDR = "image_id,rad_id,Cardiomegaly,Aortic enlargement\n" + "".join(
    f"{image},{reader},{value},0\n"
    for image, values in (("a", (1, 1, 0)), ("b", (0, 0, 1)), ("c", (0, 0, 0)))
    for reader, value in zip(("R8", "R9", "R10"), values, strict=True)
)


def test_rows_of_readers_are_labels_by_majority_and_readings_of_each(run, tmp_path):
    (tmp_path / "train.csv").write_text(VINDR)
    words = ("import", "labels", tmp_path / "train.csv", "--source", "vin")
    assert "--answer rows=readings" in run(*words)
    done = run(*words, "--answer", "rows=readings")
    assert done["written"] == 3 and "9 rows by 3 readers kept as the readings 'readers'" in " ".join(done["notes"])
    rows = get_source("vin").warehouse().labels().set_index("path")
    assert rows["cardiomegaly"].to_dict() == {"a": 3, "b": 1, "c": 1}
    told = run("meaning", "--set", "readers", "--source", "vin", "--dataset", "train", "--view", "frontal")
    assert told["readers"] == ["R10", "R8", "R9"]
    (tmp_path / "valid.csv").write_text(VINDR.replace("\na,", "\nd,").replace("\nb,", "\ne,").replace("\nc,", "\nf,"))
    run("import", "labels", tmp_path / "valid.csv", "--source", "vin", "--answer", "rows=readings")
    kept = pd.read_parquet(get_source("vin").folder / "readings" / "readers.parquet")
    assert len(kept) == 18


def test_a_file_of_studies_with_an_unknown_column_of_names_asks_whether_it_names_images(run, tmp_path):
    (tmp_path / "x.csv").write_text("xray,StudyID,pat,view,split,Edema\nIM1,s1,1,PA,train,1\nIM2,s2,2,PA,train,0\n")
    words = ("import", "labels", tmp_path / "x.csv", "--source", "mine")
    refused = run(*words)
    assert "--column path=xray" in refused and "--column path= (the rows are whole studies)" in refused
    run(*words, "--column", "path=xray")
    assert get_source("mine").warehouse().labels()["image"].tolist() == [1, 1]
    run(*words[:-1], "whole", "--column", "path=")
    assert get_source("whole").warehouse().labels()["image"].tolist() == [0, 0]


def test_ages_of_every_kind_are_read_and_a_column_that_is_odd_can_be_left_out(run, tmp_path):
    head = "path,patient,view,split,Age,Edema\n"
    ages = ("058Y", ">89", "85 or more", "unknown", "003M")
    (tmp_path / "x.csv").write_text(head + "".join(f"{n}.png,{n},PA,train,{age},1\n" for n, age in enumerate(ages)))
    run("import", "labels", tmp_path / "x.csv", "--source", "mine")
    found = get_source("mine").warehouse().labels(extra=("age",))["age"]
    assert found.tolist() == pytest.approx([58, 89, 85, np.nan, 0.25], nan_ok=True)
    (tmp_path / "x.csv").write_text(head + "a.png,1,PA,train,old,1\nb.png,2,PA,train,young,1\n")
    words = ("import", "labels", tmp_path / "x.csv", "--source", "other")
    refused = run(*words)
    assert "--column age=" in refused and "--skip-bad-rows" not in refused
    assert run(*words, "--column", "age=")["written"] == 2


WORDS = {
    "positive": 3, "Negative": 1, "uncertain": 2, "YES": 3, "no": 1, "True": 3, "FALSE": 1, "present": 3, "": 0,
    "1.0": 3, "-1.0": 2, "0": 1, "absent": 1,
}  # fmt: skip


def test_words_of_labels_are_read_and_said(run, tmp_path):
    lines = "".join(f"{number:02d}.png,{number},PA,train,{word}\n" for number, word in enumerate(WORDS))
    (tmp_path / "x.csv").write_text("path,patient_id,view,split,Effusion\n" + lines)
    done = run("import", "labels", tmp_path / "x.csv", "--source", "mine")
    assert get_source("mine").warehouse().labels()["pleural_effusion"].tolist() == list(WORDS.values())
    assert "'Negative' negative" in " ".join(done["notes"])


def test_projections_by_their_letters_are_views(run, tmp_path):
    views = {"L": 1, "AP_horizontal": 0, "PA": 0, "AP": 0, "LATERAL": 1, "LL": 1}
    lines = "".join(f"{number}.png,{number},{word},train,1\n" for number, word in enumerate(views))
    (tmp_path / "x.csv").write_text("ImageID,PatientID,Projection,split,Pneumonia\n" + lines)
    run("import", "labels", tmp_path / "x.csv", "--source", "mine")
    assert get_source("mine").warehouse().labels()["view"].tolist() == list(views.values())


def test_a_patient_in_two_sets_is_told_at_import_and_wherever_the_source_is_described(run, tmp_path):
    for name in ("train", "valid"):
        text = f"Path,Frontal/Lateral,Edema\nX/{name}/patient00001/study1/view1_frontal.jpg,Frontal,1\n"
        (tmp_path / f"{name}.csv").write_text(text)
    done = run("import", "labels", tmp_path / "train.csv", tmp_path / "valid.csv", "--source", "leak")
    assert done["patients_in_two_sets"] == 1
    assert "1 patient is in more than one data set" in " ".join(done["notes"])


def test_masks_of_run_lengths_are_asked_with_the_options_that_decide(run, tmp_path):
    (tmp_path / "train.csv").write_text("ImageId,Pneumothorax,view\na,-1,PA\nb,175349 7 1013 12,PA\n")
    words = ("import", "labels", tmp_path / "train.csv", "--source", "mine")
    refused = run(*words)
    assert "--column mask=Pneumothorax --column pneumothorax=" in refused
    run(*words, "--column", "mask=Pneumothorax", "--column", "pneumothorax=")
    assert get_source("mine").warehouse().labels()["pneumothorax"].tolist() == [1, 3]


def test_arrays_of_other_tools_are_read(run, tmp_path):
    content = io.BytesIO()
    np.savez(content, path=np.array([b"a.png", b"b.png"]), patient=np.array([1, 2], ">i8"), view=np.array(["PA", "AP"]),
             split=np.array(["train", "valid"]), Edema=np.array([1, 0], np.float16), Fracture=np.array([True, False]))  # fmt: skip
    (tmp_path / "x.npz").write_bytes(content.getvalue())
    run("import", "labels", tmp_path / "x.npz", "--source", "mine")
    rows = get_source("mine").warehouse().labels()
    assert rows["edema"].tolist() == [3, 1] and rows["fracture"].tolist() == [3, 1]
