import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layouts import SPELLED, chexpert, mimic
from sklearn.metrics import average_precision_score, roc_auc_score

from cxr_core.errors import ExistsError, TableError, UsageError
from cxr_core.sources.importing.choices import ImportChoices
from cxr_core.sources.registry import get_source
from cxr_core.tasks.evaluate import evaluate
from cxr_core.tasks.import_labels import import_labels
from cxr_core.tasks.import_predictions import import_predictions


@pytest.fixture
def labels(tmp_path):
    """The valid images of a CheXpert-like source `mine`."""
    frame = chexpert(240, dataset="valid")
    frame.to_csv(tmp_path / "valid.csv", index=False)
    import_labels("mine", [tmp_path / "valid.csv"], ImportChoices())
    return frame


def scores_for(labels, names, seed=0, scale=3.0):
    rng = np.random.default_rng(seed)
    noise = {name: np.round(rng.normal(size=len(labels)), 1) for name in names}
    return pd.DataFrame({name: scale * (noise[name] + (labels[name] == 1)) for name in names})


def check_figures(labels, scores, evaluation):
    """Compare every figure with scikit-learn's on the raw frames: uncertain ones dropped, only 1.0 is positive."""
    assert set(evaluation.labels) == {SPELLED[name] for name in scores}
    for name in scores:
        certain = labels[name] != -1.0
        truth, predicted = labels.loc[certain, name] == 1.0, scores.loc[certain, name]
        figures = evaluation.labels[SPELLED[name]]
        assert figures.n == certain.sum()
        assert figures.roc_auc == pytest.approx(roc_auc_score(truth, predicted), abs=1e-12)
        assert figures.average_precision == pytest.approx(average_precision_score(truth, predicted), abs=1e-12)


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet", "npz"])
def test_auc_of_imported_scores_is_scikit_learns_in_whatever_column_order(labels, tmp_path, kind):
    names = ["Support Devices", "Edema", "Lung Opacity"]
    scores = scores_for(labels, names)
    file = pd.concat([scores, labels["Path"]], axis=1)[["Edema", "Path", "Support Devices", "Lung Opacity"]].sample(
        frac=1, random_state=1
    )
    path = tmp_path / f"predictions.{kind}"
    if kind == "npz":
        np.savez(path, **{name: file[name].to_numpy(str if name == "Path" else float) for name in file})
    else:
        file.to_parquet(path) if kind == "parquet" else file.to_csv(path, index=False)
    done = import_predictions("mine", path, "theirs", "score")
    assert (done.read, done.written, done.unmatched, done.duplicated, done.scale) == (240, 240, 0, 0, "score")
    judged = evaluate("mine", "theirs")
    assert judged.scale == "score"
    check_figures(labels, scores, judged)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(-1e300, 1e300), min_size=30, max_size=30))
@pytest.mark.slow
def test_numbers_come_back_as_they_were_given(tmp_path_factory, values):
    folder = tmp_path_factory.mktemp("property")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_HOME", str(folder / "workspace"))
        frame = chexpert(30, dataset="valid")
        frame.to_csv(folder / "valid.csv", index=False)
        import_labels("mine", [folder / "valid.csv"], ImportChoices())
        given_frame = pd.DataFrame({"path": frame["Path"], "edema": values})
        given_frame.to_csv(folder / "p.csv", index=False)
        import_predictions("mine", folder / "p.csv", "theirs", "score")
        stored = get_source("mine").warehouse().predictions("theirs").set_index("path")["edema"]
        np.testing.assert_array_equal(stored.loc[frame["Path"]].to_numpy(), np.array(values) + 0.0)


def test_unmatched_and_duplicated_keys_are_counted(labels, tmp_path):
    scores = scores_for(labels, ["Edema"])
    file = pd.concat([labels["Path"], scores], axis=1)
    stranger = pd.DataFrame({"Path": ["elsewhere/1.jpg", "elsewhere/2.jpg"], "Edema": [1.0, 2.0]})
    contradicting = file.iloc[[5]].assign(Edema=99.0)
    pd.concat([file, stranger, file.iloc[[3]], contradicting]).to_csv(tmp_path / "p.csv", index=False)
    done = import_predictions("mine", tmp_path / "p.csv", "theirs", "score")
    assert (done.read, done.unmatched, done.duplicated) == (244, 2, 2)
    assert done.written == 239
    stored = get_source("mine").warehouse().predictions("theirs")
    assert labels["Path"][3] in set(stored["path"]) and labels["Path"][5] not in set(stored["path"])
    assert any("2 rows left out: other numbers for the same key" in note for note in done.notes)


def test_dicom_ids_find_their_images(tmp_path):
    paths, _, images = mimic(tmp_path)
    import_labels("mimic", list(paths.values()), ImportChoices())
    file = images[["dicom_id"]].assign(edema=np.arange(len(images)) / 7)
    file.to_csv(tmp_path / "p.csv", index=False)
    done = import_predictions("mimic", tmp_path / "p.csv", "theirs")
    assert (done.written, done.unmatched, done.scale) == (len(images), 0, "logit")


def test_studies_are_found_by_their_id_and_written_as_study_rows(tmp_path):
    paths, labels, _ = mimic(tmp_path)
    import_labels("mimic", list(paths.values()), ImportChoices())
    file = labels[["study_id"]].assign(Edema=np.linspace(0, 1, len(labels)))
    file.to_csv(tmp_path / "p.csv", index=False)
    done = import_predictions("mimic", tmp_path / "p.csv", "theirs")
    assert (done.written, done.scale) == (len(labels), "probability")
    stored = get_source("mimic").warehouse().predictions("theirs")
    assert (stored["image"] == 0).all() and (stored["view"] == -1).all()
    assert set(zip(stored["patient"], stored["study"], strict=True)) == set(
        zip(labels["subject_id"], labels["study_id"], strict=True)
    )


def test_numbers_outside_0_to_1_are_no_probabilities(labels, tmp_path):
    pd.DataFrame({"Path": labels["Path"], "Edema": 1.5}).to_csv(tmp_path / "p.csv", index=False)
    with pytest.raises(TableError, match=r"p.csv, line 2: Edema must be a probability"):
        import_predictions("mine", tmp_path / "p.csv", "theirs", "probability")


def test_rows_with_a_bad_cell_are_left_out_when_asked_and_counted(labels, tmp_path):
    table = labels[["Path"]].assign(Edema=np.linspace(-1, 1, len(labels))).astype(object)
    table.loc[3, "Edema"] = "x"
    table.to_csv(tmp_path / "p.csv", index=False)
    done = import_predictions("mine", tmp_path / "p.csv", "theirs", skip_bad_rows=True)
    assert (done.read, done.written, done.refused, done.unmatched) == (240, 239, 1, 0)
    stored = get_source("mine").warehouse().predictions("theirs").set_index("path")["edema"]
    kept = table.drop(index=3)
    assert stored.loc[kept["Path"]].tolist() == pytest.approx(kept["Edema"].astype(float).tolist())
    assert table.loc[3, "Path"] not in stored.index


def test_what_cannot_be_is_refused_and_nothing_is_written(labels, tmp_path):
    pd.DataFrame({"Path": ["nowhere.jpg"], "Edema": 1.5}).to_csv(tmp_path / "p.csv", index=False)
    with pytest.raises(TableError, match="No key of p.csv is in the label table"):
        import_predictions("mine", tmp_path / "p.csv", "theirs")
    with pytest.raises(UsageError, match="Unknown scale"):
        import_predictions("mine", tmp_path / "p.csv", "theirs", "odds")
    with pytest.raises(UsageError, match="A model name must be"):
        import_predictions("mine", tmp_path / "p.csv", "../x")
    assert get_source("mine").warehouse().prediction_tables() == []


def test_the_command_prints_the_counts_and_evaluate_reads_the_model(labels, tmp_path, cxr):
    scores = scores_for(labels, ["Edema"])
    pd.concat([labels["Path"], scores], axis=1).to_csv(tmp_path / "p.csv", index=False)
    done = cxr("import", "predictions", str(tmp_path / "p.csv"), "--model", "theirs", "--source", "mine", "--json")
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    assert (counts["read"], counts["unmatched"], counts["duplicated"]) == (240, 0, 0)
    with pytest.raises(ExistsError, match="--replace"):
        import_predictions("mine", tmp_path / "p.csv", "theirs")
    check_figures(labels, scores, evaluate("mine", "theirs"))


def test_one_number_for_every_image_is_not_said_to_look_like_probabilities(labels, tmp_path):
    labels[["Path"]].assign(Edema=0).to_csv(tmp_path / "constant.csv", index=False)
    done = import_predictions("mine", tmp_path / "constant.csv", "constant")
    assert done.scale == "logit"
    assert "every number is 0, which tells none" in done.notes[0]
    scores_for(labels, ["Edema"]).rank(pct=True).assign(Path=labels["Path"]).to_csv(tmp_path / "p.csv", index=False)
    assert "look like probabilities." in import_predictions("mine", tmp_path / "p.csv", "p").notes[0]
