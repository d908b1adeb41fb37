"""A model that leaves as ONNX or as a SavedModel predicts there what it predicts here."""

import io
import subprocess
import sys
import zipfile
from importlib import util

import numpy as np
import onnx
import onnxruntime
import pytest
from small_demo import MODELS, give_weights

from cxr_core.cli import main
from cxr_core.errors import ExistsError, UnknownNameError, UsageError
from cxr_core.models.onnx_card import read_card
from cxr_core.schema import LABELS
from cxr_core.sources.registry import get_source
from cxr_core.tasks.export_network import export_network, network_archive

MODEL, OTHER = MODELS[:2]


@pytest.fixture
def with_weights(own_small_demo):
    give_weights(MODEL)
    return get_source("demo").model_path(MODEL)


def images_and_logits(weights):
    from cxr_core.models.model_file import load_network

    network, info = load_network(weights)
    images = np.random.default_rng(0).random((3, info.image_size, info.image_size, 1), np.float32)
    logits = np.asarray(network(images, training=False))
    assert logits.std(axis=0).max() > 0.01  # other images, other logits
    return images, logits


@pytest.mark.tensorflow
def test_onnx_predicts_the_same_and_its_card_says_how(with_weights, tmp_path, capsys):
    file = tmp_path / "net.onnx"
    assert main(["export", "onnx", "--model", MODEL, "--to", str(file)]) == 0
    assert f"Wrote {MODEL} as onnx to {file}" in capsys.readouterr().out
    images, logits = images_and_logits(with_weights)
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(["logits"], {"pixels": images})[0], logits, rtol=0, atol=1e-4)
    assert {node.domain for node in onnx.load(file).graph.node} == {""}
    card = read_card(tmp_path / "net.toml")
    assert (card.size, card.layout, card.view) == (images.shape[1], "channels-last", "frontal")
    assert (card.outputs, card.missing, card.left_out) == (LABELS, (), ())


@pytest.mark.tensorflow
def test_a_saved_model_predicts_the_same_without_keras(with_weights, tmp_path):
    done = export_network("demo", MODEL, "saved-model", str(tmp_path / "deep" / "net"))
    images, logits = images_and_logits(with_weights)
    np.save(tmp_path / "images.npy", images)
    code = (
        "import sys\n"
        "sys.modules['keras'] = None  # it cannot be imported\n"
        "import numpy as np, tensorflow as tf\n"
        "served = tf.saved_model.load(sys.argv[1]).signatures['serving_default']\n"
        "(made,) = served(tf.constant(np.load(sys.argv[2]))).values()\n"
        "np.save(sys.argv[3], made.numpy())"
    )
    given = [done.to, tmp_path / "images.npy", tmp_path / "made.npy"]
    subprocess.run([sys.executable, "-c", code, *map(str, given)], capture_output=True, check=True)
    np.testing.assert_allclose(np.load(tmp_path / "made.npy"), logits, rtol=0, atol=1e-4)
    assert {"net/saved_model.pb", "net/model.json"} <= set(done.files)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["net"]


@pytest.mark.tensorflow
def test_the_archive_of_a_page_has_the_file_and_its_card(with_weights):
    with zipfile.ZipFile(io.BytesIO(network_archive("demo", MODEL, "onnx"))) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == [f"{MODEL}.onnx", f"{MODEL}.toml"]
        onnx.checker.check_model(onnx.load_model_from_string(archive.read(f"{MODEL}.onnx")))


def test_what_cannot_be_exported_is_told_and_nothing_is_written(with_weights, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    for form, to in (("onnx", "net.h5"), ("onnx", ""), ("saved-model", "net.onnx"), ("saved-model", "")):
        with pytest.raises(UsageError, match=f"{form} is written into"):
            export_network("demo", MODEL, form, to and str(out / to))
    with pytest.raises(UnknownNameError, match="form of export"):
        export_network("demo", MODEL, "tflite", str(out / "net"))
    with pytest.raises(UnknownNameError, match="model with weights"):
        export_network("demo", OTHER, "onnx", str(out / "net.onnx"))
    with pytest.raises(UsageError, match="by its name"):
        export_network("demo", "/elsewhere/net.h5", "onnx", str(out / "net.onnx"))
    assert not any(out.iterdir())


def test_what_is_there_is_not_written_over(with_weights, tmp_path):
    (tmp_path / "net.toml").write_text("mine")
    with pytest.raises(ExistsError, match=r"net.toml is there already"):
        export_network("demo", MODEL, "onnx", str(tmp_path / "net.onnx"))
    (tmp_path / "folder").mkdir()
    with pytest.raises(ExistsError, match="is no SavedModel, so it is not replaced"):
        export_network("demo", MODEL, "saved-model", str(tmp_path / "folder"), replace=True)


def test_without_the_packages_it_says_what_to_install(with_weights, tmp_path, monkeypatch):
    known = util.find_spec
    monkeypatch.setattr(
        "cxr_core.models.export_forms.find_spec", lambda name: None if name == "onnxruntime" else known(name)
    )
    with pytest.raises(UsageError, match=r"requirements-onnx.txt"):
        export_network("demo", MODEL, "onnx", str(tmp_path / "net.onnx"))
