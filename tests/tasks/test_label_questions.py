"""Files that can be read in two ways: nothing is decided silently, and each way out leads where it says."""

import json
import shlex

import pandas as pd
import pytest

from cxr_core.errors import CxrError, UndecidedError
from cxr_core.sources.importing.choices import ImportChoices
from cxr_core.sources.importing.mapping import Mapping
from cxr_core.sources.registry import get_source
from cxr_core.tasks.import_labels import import_labels
from cxr_core.tasks.import_predictions import import_predictions
from cxr_core.tasks.import_preview import preview_labels

PATH = "CheXpert-v1.0/train/patient{0:05d}/study1/view1_frontal.jpg"

#: topic -> (file name, text, what further choices the answers need)
QUESTIONS = {
    "column path": ("train.csv", f"Path,filename,Edema\n{PATH.format(1)},view1.jpg,1\n"),
    "column dataset": ("x.csv", "path,patient,view,split,fold,Edema\na.png,1,PA,train,valid,1\n"),
    "column edema": ("train.csv", "path,patient,view,Edema,Oedema\na.png,1,PA,1,0\n"),
    "datasets": ("x.csv", "path,patient,view,fold,Edema\na.png,1,PA,0,1\nb.png,2,PA,1,0\nc.png,3,AP,2,1\n"),
    "dataset of path": ("x.csv", "path,patient,view,Edema\n/train_sets/valid/a.png,1,PA,1\n"),
    "views": ("train.csv", "path,patient,ViewPosition,Edema\na.png,1,PA,1\nb.png,2,NEW,1\n"),
    "rows": ("train.csv", "image_id,rad_id,Edema,No finding\na,R1,1,0\na,R2,0,1\na,R3,1,0\nb,R1,0,1\n"),
    "mask": ("train.csv", "path,patient,view,Pneumothorax\na.png,1,PA,1 2 3 4\nb.png,2,PA,-1\n"),
    "delimiter": ("train.csv", "path;x,Edema\na;1,1\nb;2,0\n"),
}


def written(folder, name, text):
    (folder / name).write_text(text)
    return folder / name


@pytest.mark.parametrize("topic", QUESTIONS)
def test_what_is_unclear_is_asked_with_answers_that_decide_it(tmp_path, topic):
    path = written(tmp_path, *QUESTIONS[topic])
    with pytest.raises(UndecidedError) as asked:
        import_labels("mine", [path], ImportChoices())
    assert asked.value.topic == topic
    assert not (tmp_path / "workspace").exists()
    for choice in asked.value.choices:
        assert choice.option in str(asked.value)
        try:
            preview_labels("mine", [path], ImportChoices(mapping=Mapping().answered(choice.keys)))
        except CxrError as another:
            # An answer may lead to something else that is missing, but never back to the question.
            assert getattr(another, "topic", None) != topic


@pytest.mark.parametrize("topic", QUESTIONS)
def test_the_command_line_refuses_in_one_line_with_options_that_it_takes(topic, tmp_path, cxr):
    path = written(tmp_path, *QUESTIONS[topic])
    refused = cxr("import", "labels", str(path), "--source", "mine", "--json")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    with pytest.raises(UndecidedError) as asked:
        import_labels("mine", [path], ImportChoices())
    option = asked.value.choices[-1].option
    assert option in refused.stderr
    again = cxr("import", "labels", str(path), "--source", "mine", "--json", *shlex.split(option))
    assert "unrecognized" not in again.stderr and asked.value.question not in again.stderr


def test_numbers_of_data_sets_are_offered_as_codes_and_as_folds_with_the_first_held_out(tmp_path):
    path = written(tmp_path, *QUESTIONS["datasets"])
    with pytest.raises(UndecidedError) as asked:
        import_labels("mine", [path], ImportChoices())
    assert [choice.keys for choice in asked.value.choices] == [
        {"columns.dataset": "", "dataset": "train"},
        {"datasets.0": "train", "datasets.1": "valid", "datasets.2": "test"},
        {"datasets.0": "valid", "datasets.1": "train", "datasets.2": "train"},
    ]


def test_columns_of_zeros_and_ones_that_are_no_findings_are_none(tmp_path):
    text = "path,patient,view,Edema,Hernia,index,Follow-up #,height,123,empty\na.png,1,PA,1,1,0,0,1,1,\nb.png,2,AP,0,0,1,1,0,0,\n"
    import_labels("mine", [written(tmp_path, "train.csv", text)], ImportChoices())
    columns = get_source("mine").warehouse().labels(extra=("hernia",)).columns
    assert "hernia" in columns
    seen = preview_labels("mine", [tmp_path / "train.csv"], ImportChoices())
    assert set(seen.counts["label"]) == {"edema"}
    stored = pd.read_parquet(tmp_path / "workspace" / "sources" / "mine" / "labels.parquet")
    assert {"index", "follow_up", "height", "123", "empty"}.isdisjoint(stored.columns)


def test_folds_of_numbers_become_what_was_said_of_them(tmp_path):
    path = written(tmp_path, *QUESTIONS["datasets"])
    said = Mapping().answered({"datasets.0": "train", "datasets.1": "valid", "datasets.2": "test"})
    import_labels("mine", [path], ImportChoices(mapping=said))
    assert get_source("mine").warehouse().labels()["dataset"].tolist() == [0, 1, 2]
    import_labels("all", [path], ImportChoices(dataset="test"), columns={"dataset": ""})
    assert set(get_source("all").warehouse().labels()["dataset"]) == {2}


@pytest.mark.parametrize(("rule", "edema"), [("majority", [3, 1]), ("max", [3, 1]), ("reader=R2", [1])])
def test_readers_become_one_row_by_the_rule_that_was_said(tmp_path, rule, edema):
    path = written(tmp_path, *QUESTIONS["rows"])
    import_labels("mine", [path], ImportChoices(mapping=Mapping(rows=rule)))
    rows = get_source("mine").warehouse().labels()
    assert rows["edema"].tolist() == edema
    assert (rows["view"] == 0).all()


def test_a_tie_of_readers_is_uncertain(tmp_path):
    path = written(tmp_path, "train.csv", "image_id,rad_id,Edema\na,R1,1\na,R2,0\nb,R1,1\nb,R2,1\nc,R1,0\nc,R2,\n")
    import_labels("mine", [path], ImportChoices(mapping=Mapping(rows="majority")))
    assert get_source("mine").warehouse().labels()["edema"].tolist() == [2, 3, 2]


def test_the_folder_next_to_the_patient_tells_the_data_set(tmp_path):
    text = "Path,Frontal/Lateral,Edema\n/data/train_sets/CheXpert-v1.0/valid/patient64541/study1/view1_frontal.jpg,Frontal,1\n"
    import_labels("mine", [written(tmp_path, "x.csv", text)], ImportChoices())
    assert get_source("mine").warehouse().labels()["dataset"].tolist() == [1]


def test_numbers_that_may_be_percentages_are_asked(tmp_path):
    rows = "".join(f"{PATH.format(number)},{number % 2}\n" for number in range(1, 6))
    import_labels("mine", [written(tmp_path, "train.csv", "Path,Edema\n" + rows)], ImportChoices())
    shares = "".join(f"{PATH.format(number)},{number * 19}\n" for number in range(1, 6))
    path = written(tmp_path, "p.csv", "Path,Edema\n" + shares)
    with pytest.raises(UndecidedError, match=r"from 19 to 95.*--answer unit=percent.*--scale score.*--scale logit"):
        import_predictions("mine", path, "theirs")
    done = import_predictions("mine", path, "theirs", "probability", mapping=Mapping(unit="percent"))
    assert done.scale == "probability"
    stored = get_source("mine").warehouse().predictions("theirs")["edema"]
    assert stored.tolist() == pytest.approx([0.19, 0.38, 0.57, 0.76, 0.95])


def test_paths_of_studies_are_predictions_of_studies_only_when_said(tmp_path):
    rows = "".join(f"{PATH.format(number)},{number % 2}\n" for number in range(1, 6))
    import_labels("mine", [written(tmp_path, "train.csv", "Path,Edema\n" + rows)], ImportChoices())
    text = "Path,Edema\n" + "".join(
        f"elsewhere/patient{number:05d}/study1/other.jpg,0.{number}\n" for number in range(1, 6)
    )
    path = written(tmp_path, "p.csv", text)
    with pytest.raises(UndecidedError, match=r"5 rows name studies.*--column study=Path --column path="):
        import_predictions("mine", path, "theirs")
    done = import_predictions("mine", path, "theirs", columns={"study": "Path", "path": ""})
    assert (done.written, done.matched["study"]) == (5, 5)


def test_a_mapping_is_a_file_that_comes_back_and_is_offered_for_the_next_file_of_its_shape(tmp_path, cxr):
    name, text = QUESTIONS["datasets"]
    path = written(tmp_path, name, text)
    (tmp_path / "mapping.toml").write_text('[datasets]\n0 = "train"\n1 = "valid"\n2 = "valid"\n')
    done = cxr("import", "labels", str(path), "--source", "mine", "--mapping", str(tmp_path / "mapping.toml"), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["written"] == 3
    again = written(tmp_path, "next.csv", text.replace(".png", ".jpg"))
    with pytest.raises(UndecidedError) as asked:
        import_labels("mine", [again], ImportChoices())
    offered = asked.value.choices[0]
    assert offered.option.startswith("--mapping ")
    repeated = cxr("import", "labels", str(again), "--source", "mine", *shlex.split(offered.option), "--json")
    assert repeated.returncode == 0, repeated.stderr


def test_every_key_of_a_mapping_survives_its_file(tmp_path):
    from cxr_core.sources.importing.mapping import read_mapping

    said = Mapping(
        "nih", "valid", "frontal", "reader=R 1", "not_mentioned", "percent", ("Maker", "A, b"), {"path": "Image Index"},
        {"": "negative", "jein": "uncertain"}, {"X": "other"}, {"0": "train"}, {"Mass": "", "Wasser": "edema"},
    ).answered({"file.delimiter": ";", "file.encoding": "cp1252"})  # fmt: skip
    (tmp_path / "m.toml").write_text(said.as_toml())
    assert read_mapping(tmp_path / "m.toml") == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[datasets]\n0 = 'tain'\n", "Unknown dataset 'tain'"),
        ("colums = 3\n", "unknown key 'colums'"),
        ("[columns]\nedma = 'Edema'\n", "can be mapped to path"),
        ("rows = 'some'\n", "rows must be max, majority, readings or reader=NAME"),
        ("[values]\nyes = 3\n", "values must be a table of texts"),
        ("= broken", "is no valid TOML"),
    ],
)
def test_a_wrong_mapping_is_refused_with_what_is_wrong(tmp_path, text, said, cxr):
    (tmp_path / "m.toml").write_text(text)
    path = written(tmp_path, *QUESTIONS["datasets"])
    refused = cxr("import", "labels", str(path), "--source", "mine", "--mapping", str(tmp_path / "m.toml"))
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert said in refused.stderr


def test_a_preview_counts_values_and_shows_rows_as_they_will_be_stored(tmp_path):
    rows = "".join(f"{PATH.format(number)},{['', '0', '-1', '1'][number % 4]}\n" for number in range(1, 9))
    seen = preview_labels("mine", [written(tmp_path, "train.csv", "Path,Edema\n" + rows)], ImportChoices())
    assert seen.counts.to_dict("records") == [
        {"label": "edema", "not_mentioned": 2, "negative": 2, "uncertain": 2, "positive": 2}
    ]
    assert seen.stored["edema"].tolist() == ["negative", "uncertain", "positive", "not_mentioned", "negative"]
    assert seen.stored["path"].tolist() == [PATH.format(number) for number in range(1, 6)]
    assert not (tmp_path / "workspace").exists()


def test_ids_that_pandas_saved_as_floats_are_whole_numbers(tmp_path):
    from layouts import mimic

    paths, _, images = mimic(tmp_path, studies=6)
    metadata = pd.read_csv(paths["metadata"]).astype({"subject_id": float, "study_id": float})
    metadata.to_csv(paths["metadata"], index=False)
    done = import_labels("mimic", list(paths.values()), ImportChoices())
    assert done.written == len(images)
    assert any("saved as" in note for note in done.notes)
