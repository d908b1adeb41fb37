"""ONNX models predict into the same tables as any model: what their card maps, with where it came from."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from onnx_files import XRV, XRV_CARD, written, xrv_model, xrv_weights
from scipy.special import expit
from small_demo import MODELS, give_weights

from cxr_core.cli import main
from cxr_core.errors import ModelFileError, UsageError
from cxr_core.models.onnx_card import read_card
from cxr_core.schema import LABELS
from cxr_core.sources.registry import get_source
from cxr_core.tasks.export_network import export_network
from cxr_core.tasks.image_pictures import film_picture
from cxr_core.tasks.predict import start_prediction
from cxr_core.warehouse.parquet import read_metadata

MODEL = MODELS[0]
PREDICT = ["predict", "--source", "demo", "--dataset", "valid", "--limit", "12", "--json", "--model"]


@pytest.mark.tensorflow
def test_a_model_that_left_as_onnx_predicts_here_what_it_did_before(own_small_demo, tmp_path, capsys):
    give_weights(MODEL)
    file = tmp_path / "twin.onnx"
    export_network("demo", MODEL, "onnx", str(file))
    tables = []
    for model, name in ((MODEL, "own"), (str(file), "twin")):
        assert main([*PREDICT, model, "--name", name]) == 0
        result = json.loads(capsys.readouterr().out)
        assert (result["images"], result["shape"]) == (12, [12, 14])
        tables.append(get_source("demo").warehouse().predictions(name))
    own, twin = tables
    pd.testing.assert_frame_equal(own.drop(columns=list(LABELS)), twin.drop(columns=list(LABELS)))
    np.testing.assert_allclose(twin[list(LABELS)], own[list(LABELS)], rtol=0, atol=1e-4)


@pytest.mark.tensorflow
def test_the_outputs_that_its_card_maps_are_ours_and_the_others_are_named(own_small_demo, tmp_path, capsys):
    file = written(tmp_path, xrv_model())
    assert main([*PREDICT, str(file)]) == 0
    result = json.loads(capsys.readouterr().out)
    missing = {"no_finding", "pleural_other", "support_devices"}
    assert (set(result["missing"]), result["shape"]) == (missing, [12, 11])
    assert result["left_out"] == [
        *("Infiltration", "Emphysema", "Fibrosis", "Pleural_Thickening", "Nodule", "Mass", "Hernia")
    ]
    source = get_source("demo")
    table = source.warehouse().predictions("xrv")
    assert set(LABELS) - set(table.columns) == missing
    path = source.predictions_path("xrv")
    told = read_metadata(path)
    assert (told.scale, told.model["view"]) == ("score", "frontal")
    assert told.model["onnx"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert told.model["card"] == hashlib.sha256(file.with_suffix(".toml").read_bytes()).hexdigest()
    check_against_the_images(table)
    assert main(["models", "--source", "demo", "--json"]) == 0
    listed = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert (listed["xrv"]["images"], listed["xrv"]["view"]) == (12, "frontal")
    assert main(["evaluate", "xrv", "--source", "demo", "--dataset", "valid", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["labels"]) == set(LABELS) - missing
    assert main([*PREDICT, str(file)]) == 2, "it is there already"
    assert "Use --replace to predict again" in capsys.readouterr().err


def check_against_the_images(table):
    """The stand-in is linear in the mean grey of a picture from -1024 to 1024, which Pillow's pixels give as well."""
    scale, offset = xrv_weights()
    for _, row in table.head(3).iterrows():
        image = np.asarray(film_picture("demo", row["path"]), np.float64)
        mean = image.mean() / 255 * 2048 - 1024
        place = XRV.index("Effusion")
        assert row["pleural_effusion"] == pytest.approx(expit(mean * scale[0, place] + offset[place]), abs=2e-3)


def test_what_cannot_be_run_is_told_before_a_run_begins(own_small_demo, tmp_path, monkeypatch, capsys):
    file = written(tmp_path, xrv_model(outputs=14))
    assert main([*PREDICT, str(file)]) == 2
    said = capsys.readouterr().err
    assert "its output must be N x 18, as its card names them. It is N x 14" in said and said.count("\n") == 1
    file = written(tmp_path, xrv_model())
    with pytest.raises(UsageError, match="run on the CPU of this machine. Received: multi-gpu"):
        start_prediction("demo", str(file), accelerator="multi-gpu", confined=False)
    with pytest.raises(UsageError, match="Only an ONNX model needs a card"):
        give_weights(MODEL)
        start_prediction("demo", MODEL, card=str(file.with_suffix(".toml")), confined=False)
    with pytest.raises(ModelFileError, match=r"none.toml is not there"):
        start_prediction("demo", str(file), card=str(tmp_path / "none.toml"), confined=False)
    monkeypatch.setenv("CXR_INPUT_FOLDERS", "")
    with pytest.raises(UsageError, match="input_folders"):
        start_prediction("demo", str(file))


def test_the_process_that_asks_for_a_prediction_loads_no_onnx(own_small_demo, tmp_path):
    file = written(tmp_path, xrv_model([]))
    code = (
        "import sys\nfrom cxr_core.errors import CxrError\nfrom cxr_core.tasks.predict import start_prediction\n"
        "try:\n    start_prediction('demo', sys.argv[1], confined=False)\n"
        "except CxrError as error:\n    print(error)\n"
        "print(sorted({'onnx', 'onnxruntime', 'tensorflow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)
    refused, loaded = done.stdout.splitlines()
    assert refused.startswith(f"The ONNX model {file} is not run: ") and loaded == "[]"


def test_the_cards_of_the_documentation_are_cards(tmp_path):
    text = (Path(__file__).parents[2] / "docs" / "other-models.md").read_text()
    blocks = [part.split("```")[0] for part in text.split("```toml\n")[1:]]
    cards = []
    for number, block in enumerate(blocks):
        (tmp_path / f"{number}.toml").write_text(block)
        cards.append(read_card(tmp_path / f"{number}.toml"))
    (tmp_path / "ours.toml").write_text(XRV_CARD)
    assert cards[-1].labels == read_card(tmp_path / "ours.toml").labels
    assert (cards[-1].outputs, cards[-1].low, cards[-1].size) == (XRV, -1024, 224)
