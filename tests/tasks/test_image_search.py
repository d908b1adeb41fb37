import json

import pandas as pd
import pytest

from cxr_core.cli import main
from cxr_core.errors import UnknownNameError, UsageError
from cxr_core.sources.importing.identifiers import Identifiers
from cxr_core.tasks.image_search import named_images, rows_named
from cxr_core.tasks.images import ImageQuery

FRONTAL = "densenet_frontal_u0_0__w0_0"


@pytest.fixture(scope="module")
def labels(built_small_demo):
    folder = built_small_demo / "sources" / "demo"
    return pd.concat([pd.read_parquet(folder / f"labels_{one}.parquet") for one in ("train", "valid", "test")])


def paths(text, **asked):
    return [one.path for one in named_images(ImageQuery("demo", **asked), text).part()]


def in_order(rows):
    return list(rows.sort_values(["patient", "study", "image"])["path"])


@pytest.mark.parametrize("spelling", ["{}", "p{}", "P{}", " p{} ", "p00{}"])
def test_a_patient_is_found_in_whatever_set_he_is(small_demo, labels, spelling):
    for patient in labels.groupby("dataset")["patient"].first():
        of_patient = labels[labels["patient"] == patient]
        assert paths(spelling.format(patient)) == in_order(of_patient)


@pytest.mark.parametrize("spelling", ["p{}/s{:02d}", "{} {}", "p{}, s{}", "valid/p{}/s{:02d}", "valid/p{}/s{:02d}/"])
def test_a_study_of_a_patient_is_found(small_demo, labels, spelling):
    row = labels[(labels["dataset"] == 1) & (labels["study"] == 2)].iloc[0]
    of_study = labels[(labels["patient"] == row["patient"]) & (labels["study"] == 2)]
    assert paths(spelling.format(row["patient"], 2)) == in_order(of_study)


def test_a_study_alone_is_that_number_of_any_patient(small_demo, labels):
    assert paths("s03") == in_order(labels[labels["study"] == 3])


def test_a_path_is_found_and_its_end(small_demo, labels):
    path = labels.iloc[5]["path"]
    assert paths(path) == [path]
    assert paths(path.split("/", 1)[1]) == [path]
    assert paths("view3_other.jpg") == in_order(labels[labels["path"].str.endswith("/view3_other.jpg")])


def test_the_set_the_value_and_the_score_of_each_are_told(small_demo, labels):
    stored = small_demo / "sources/demo/predictions" / f"{FRONTAL}_predictions.parquet"
    scores = pd.read_parquet(stored).set_index("path")["edema"]
    patient = labels.loc[labels["path"].isin(scores.index), "patient"].iloc[0]
    found = named_images(ImageQuery("demo", "edema", model=FRONTAL), str(patient)).part()
    of_path = labels.set_index("path")
    for one in found:
        assert one.dataset == one.path.split("/")[0]
        assert one.value == ("not_mentioned", "negative", "uncertain", "positive")[of_path.at[one.path, "edema"]]
        assert one.score == (scores[one.path] if one.path in scores.index else None)
    assert any(one.score is not None for one in found)


@pytest.mark.parametrize(
    "text", ["", "  ", "p1", "s99", "s10000032", "valid/none.jpg", "p10000032/s99", "%", "' OR 1=1", "x" * 5000]
)
def test_what_names_nothing_is_said_in_a_sentence(small_demo, text):
    with pytest.raises(UsageError, match="^Nothing in demo is named "):
        named_images(ImageQuery("demo"), text)


def test_a_search_takes_no_group_no_cut_and_no_unknown_model(small_demo):
    for asked in ({"group": "blank"}, {"threshold": 0.5}, {"card": "c"}):
        with pytest.raises(UsageError, match="in place of a group"):
            named_images(ImageQuery("demo", "edema", **asked), "s01")
    with pytest.raises(UsageError, match="of one label"):
        named_images(ImageQuery("demo", model=FRONTAL), "s01")
    with pytest.raises(UnknownNameError):
        named_images(ImageQuery("demo", "edema", model="none"), "s01")


def test_a_name_of_an_imported_file_finds_its_patient(own_small_demo, labels):
    frame = labels.head(8).assign(patient=[1, 1, 2, 2, 3, 3, 4, 4])
    known = Identifiers({"patient": {"Anna-K": 3, "p2": 4}, "study": {}})
    known.save(own_small_demo / "sources" / "demo")
    assert list(frame.iloc[rows_named("demo", frame, "Anna-K")]["patient"]) == [3, 3]
    assert list(frame.iloc[rows_named("demo", frame, "p2")]["patient"]) == [4, 4], "a name goes before a number"


def test_the_command_finds_and_limits(small_demo, labels, capsys):
    patient = labels["patient"].iloc[0]
    expected = in_order(labels[labels["patient"] == patient])
    assert main(["images", "--source", "demo", "--find", f"p{patient}", "--limit", "2", "--json"]) == 0
    assert [one["path"] for one in json.loads(capsys.readouterr().out)] == expected[:2]
    assert main(["images", "--source", "demo", "--find", "p1", "--json"]) == 2
    assert main(["images", "--source", "demo", "--find", "s01", "--limit", "0"]) == 2
