import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from record_source import IMAGES, NAME, record, write_source

from cxr_core.errors import DataError, ExistsError, ModelFileError, UnknownNameError, UsageError
from cxr_core.records.example import decode, encode
from cxr_core.records.tfrecord import read_payloads, write_records
from cxr_core.runs import service
from cxr_core.runs.step import Cancelled
from cxr_core.schema import LABELS
from cxr_core.tasks import predict as task
from cxr_core.tasks.predict import start_prediction
from cxr_core.training.weights_file import ModelInfo, write_layers
from cxr_core.uncertainty import named_policy
from cxr_core.warehouse.parquet import read_metadata, write_table


@pytest.fixture
def source(workspace):
    folder = write_source(workspace)
    add_model(folder, "mine")
    return folder


def add_model(folder, name, view="frontal", run="the-run"):
    (folder / "models").mkdir(exist_ok=True)
    policy = named_policy("hybrid").as_dict()
    write_layers([], folder / "models" / f"{name}.h5", ModelInfo("densenet-small", 32, view, policy, run=run))


@pytest.fixture
def predict(monkeypatch, tmp_path):
    """Start a prediction and do its work here; the network, which needs TensorFlow, is stood in for by `logit`."""
    module = ModuleType("cxr_core.models.predict")
    state = SimpleNamespace(logit=1.5, labels=None, cancelled=False, config=None)

    def predict_records(model, paths, labels=None, limit=None, accelerator="cpu", progress=lambda images: None):
        state.labels = labels
        records = [decode(payload, "") for path in paths for payload in read_payloads(Path(path))][:limit]
        progress(len(records))
        rows = [{"path": r.path or f"built/{r.keys['patient']}"} | r.keys for r in records]
        frame = pd.DataFrame(rows)
        return frame.assign(**{label: state.logit + np.arange(len(frame)) for label in LABELS})

    module.predict_records = predict_records
    monkeypatch.setitem(sys.modules, "cxr_core.models.predict", module)
    monkeypatch.setattr(task, "import_tensorflow", lambda: None)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "all")

    def stop_if_cancelled():
        if state.cancelled:
            raise Cancelled

    def submit(kind, name, source, config, device=None, need=None):
        state.config = config
        results = []
        task.work(
            SimpleNamespace(
                name=name,
                source=source,
                config=config,
                progress=lambda *args, **kwargs: None,
                stop_if_cancelled=stop_if_cancelled,
                result=results.append,
            )
        )
        return results[0]

    monkeypatch.setattr(service, "submit", submit)

    def run(*arguments, **options):
        return start_prediction(NAME, *arguments, **options)

    run.state = state
    return run


def table(source, name="mine"):
    return pd.read_parquet(source / "predictions" / f"{name}_predictions.parquet")


def test_valid_and_test_of_the_models_view_are_predicted_unless_asked_otherwise(source, predict):
    result = predict("mine")
    images = IMAGES["valid"] + IMAGES["test"]
    assert result == {
        "model": "mine",
        "table": str(source / "predictions" / "mine_predictions.parquet"),
        "images": images,
        "shape": [images, 14],
        "min": 1.5,
        "max": 1.5 + images - 1,
    }
    frame = table(source)
    assert sorted(frame["dataset"].unique()) == [1, 2]
    assert set(frame["view"]) == {0}
    metadata = read_metadata(source / "predictions" / "mine_predictions.parquet")
    assert metadata.scale == "logit"
    digest = named_policy("hybrid").digest
    told = {"view": "frontal", "policy": "hybrid", "u": 0.5, "w": 0.25, "policy_digest": digest, "run": "the-run"}
    assert metadata.model == told


def test_data_set_view_limit_and_name_can_be_chosen(source, predict):
    assert predict("mine", dataset="test", view="lateral", limit=4, name="other")["images"] == 4
    assert set(table(source, "other")["view"]) == {1}
    assert predict.state.config["images"] == 4


def test_a_data_set_without_records_is_left_out_unless_asked_for(workspace, predict):
    folder = write_source(workspace, datasets=("train", "valid"))
    add_model(folder, "mine")
    assert predict("mine")["images"] == IMAGES["valid"]
    with pytest.raises(UsageError, match="No TFRecords match"):
        predict("mine", dataset="test")


def test_records_from_elsewhere_say_their_data_set_themselves(source, predict):
    assert predict("mine", records=f"{source}/records/train/{{view}}*")["images"] == IMAGES["train"]
    assert set(table(source)["dataset"]) == {0}


def test_another_data_set_is_added_and_the_same_one_only_replaced_on_demand(source, predict):
    predict("mine", dataset="valid")
    with pytest.raises(ExistsError, match="already has predictions on valid"):
        predict("mine")
    predict("mine", dataset="test")
    assert len(table(source)) == IMAGES["valid"] + IMAGES["test"]
    predict.state.logit = -3.0
    predict("mine", dataset="test", replace=True)
    frame = table(source)
    assert frame[frame["dataset"] == 1]["edema"].min() == 1.5
    assert frame[frame["dataset"] == 2]["edema"].min() == -3.0
    assert len(frame) == IMAGES["valid"] + IMAGES["test"]


def test_predictions_of_another_model_are_never_mixed_in(source, predict):
    predict("mine", dataset="valid")
    add_model(source, "other", run="another-run")
    with pytest.raises(ExistsError, match="predictions of another model"):
        predict("other", dataset="test", name="mine")
    predict("other", dataset="test", name="mine", replace=True)
    assert set(table(source)["dataset"]) == {2}


def test_an_ensemble_is_not_predicted_over(source, predict):
    predict("mine")
    write_table(
        source / "predictions" / "both_predictions.parquet", table(source), "logit", {"recipe": {"members": []}}
    )
    with pytest.raises(ExistsError, match="both is an ensemble"):
        predict("mine", name="both", replace=True)


def test_label_rows_name_the_images_of_records_that_do_not(workspace, predict):
    folder = write_source(workspace, with_path=False)
    add_model(folder, "mine")
    predict("mine", dataset="valid")
    assert len(predict.state.labels) == IMAGES["train"] + IMAGES["valid"] + IMAGES["test"]
    assert "path" in predict.state.labels


def test_without_label_tables_the_images_are_named_by_their_keys(workspace, predict):
    folder = write_source(workspace, with_path=False)
    add_model(folder, "mine")
    for file in folder.glob("labels_*.parquet"):
        file.unlink()
    assert predict("mine", dataset="valid")["images"] == IMAGES["valid"]
    assert predict.state.labels is None


def test_a_file_without_records_and_one_that_names_no_images_may_stand_beside_others(source, predict):
    write_records(source / "records" / "valid" / "frontal-00000-of-00002", [])
    assert predict("mine", dataset="valid")["images"] == IMAGES["valid"] // 2
    unnamed = [encode(record("valid", "frontal", 99, with_path=False))]
    write_records(source / "records" / "valid" / "frontal-00009-of-00009", unnamed)
    assert predict("mine", dataset="valid", replace=True)["images"] == IMAGES["valid"] // 2 + 1
    assert predict.state.labels is not None


@pytest.mark.parametrize(
    ("chosen", "error", "sentence"),
    [
        ({"model": "nobody"}, UnknownNameError, "Unknown model with weights 'nobody'. Choose one of: mine"),
        ({"model": "20260101-000000-abcdef"}, UnknownNameError, "Unknown run"),
        ({"dataset": "dev"}, UnknownNameError, "Unknown dataset 'dev'"),
        ({"view": "sideways"}, UnknownNameError, "Unknown view 'sideways'"),
        ({"accelerator": "abacus"}, UnknownNameError, "Unknown accelerator 'abacus'"),
        ({"limit": 0}, UsageError, "at least 1 image"),
        ({"records": "/nowhere/*"}, UsageError, "No TFRecords match /nowhere"),
        ({"name": "a b"}, UsageError, "A model name must be"),
        ({"model": "/nowhere/old.h5"}, ModelFileError, "does not exist"),
    ],
)
def test_what_cannot_be_predicted_is_refused_in_a_sentence(source, predict, chosen, error, sentence):
    with pytest.raises(error, match=sentence):
        predict(**({"model": "mine"} | chosen))
    assert not (source / "predictions").exists()


def test_a_model_of_an_unknown_view_needs_one(source, predict):
    add_model(source, "blank", view=None)
    with pytest.raises(UsageError, match="Choose one with --view"):
        predict("blank")
    assert predict("blank", view="frontal", dataset="test")["images"] == IMAGES["test"]


@pytest.mark.parametrize(("file", "name"), [("old.h5", "old"), ("its.weights.h5", "its")])
def test_a_file_is_a_model_by_its_path(source, predict, tmp_path, monkeypatch, file, name):
    add_model(source, "mine")
    (source / "models" / "mine.h5").replace(tmp_path / file)
    monkeypatch.chdir(tmp_path)
    assert predict(f"./{file}", dataset="test")["model"] == name
    assert predict.state.config["weights"] == str(tmp_path / file)


def test_a_cancelled_prediction_and_one_of_no_numbers_leave_no_table(source, predict):
    predict.state.cancelled = True
    with pytest.raises(Cancelled):
        predict("mine")
    predict.state.cancelled, predict.state.logit = False, float("nan")
    with pytest.raises(DataError, match="not finite"):
        predict("mine")
    assert not (source / "predictions").exists()
