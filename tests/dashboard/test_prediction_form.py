"""The form on Sources that predicts with any model of a source, one of 2019 included, on records of one's choice."""

import lzma
from pathlib import Path

import pytest

from cxr_core.runs import service

NOTEBOOK = Path(__file__).parents[1] / "models" / "notebook" / "densenet121_tensorflow_1.13.h5.xz"
NAME = "densenet_frontal_u0_0__w0_0"


@pytest.fixture
def source(own_small_demo):
    """The small demo with a model that TensorFlow 1.13 wrote; predictions of its name are there, of another model."""
    weights = own_small_demo / "sources/demo/models" / f"{NAME}.h5"
    weights.parent.mkdir(exist_ok=True)
    weights.write_bytes(lzma.decompress(NOTEBOOK.read_bytes()))
    return own_small_demo / "sources/demo"


def predict(app, **inputs):
    for key, value in inputs.items():
        app.session_state[f"predict-{key}"] = value
    app.run()
    return app.button(key="predict-start").click().run()


@pytest.mark.tensorflow
def test_a_model_of_2019_predicts_records_and_is_judged(source, page):
    records = str(source / "records/{dataset}/{view}*")
    inputs = {"model": NAME, "name": "of-2019", "records": records, "dataset": "valid", "limit": 30}
    app = predict(page("sources"), **inputs)
    (run,) = service.list_runs("predict")
    assert (run.name, run.config["limit"]) == ("of-2019", 30)
    assert app.title[0].value.startswith("1 run is "), "the page of the runs is opened"
    ended = service.wait(run.run, timeout=120)
    assert (ended.status, ended.result["images"]) == ("completed", 30)
    judged = page("evaluate", model="of-2019", label="no_finding")
    assert "of-2019" in [option for box in judged.selectbox if box.key == "model" for option in box.options]
    assert "AUC" in judged.title[0].value


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({}, "Choose a model, or enter the path"),
        ({"model": NAME, "records": "nowhere/*"}, "The pattern of the records must lie in one of the places"),
        ({"model": NAME, "name": "../up"}, "A model name must be"),
        ({"model": NAME}, "already has predictions"),
    ],
)
def test_what_cannot_be_predicted_is_one_sentence_and_no_run(source, page, inputs, sentence):
    app = predict(page("sources"), **inputs)
    assert [sentence in error.value for error in app.error] == [True], [error.value for error in app.error]
    assert service.list_runs("predict") == []
