"""Model files of 2019 and of today: a genuine TensorFlow 1.13 wrote the one that lies beside this file."""

import io
import json
import lzma
import pickle
import shutil
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from cxr_core.errors import ModelFileError
from cxr_core.models.model_file import load_network
from cxr_core.training.model_files import plain_network
from cxr_core.training.network import build_network
from cxr_core.training.weights_file import load_into, read_weights

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's own, on NumPy 2
]
NOTEBOOK = Path(__file__).parent / "notebook"


@pytest.fixture(scope="module")
def genuine(tmp_path_factory):
    """The file as TensorFlow 1.13.2 wrote it from the notebook's code (see make_with_tensorflow_1.py)."""
    path = tmp_path_factory.mktemp("genuine") / "densenet_frontal_u0_0__w0_0.h5"
    path.write_bytes(lzma.decompress((NOTEBOOK / "densenet121_tensorflow_1.13.h5.xz").read_bytes()))
    return path


@pytest.fixture(scope="module")
def shapes(genuine):
    """Names and shapes of the notebook's network, without building it anew for each test."""
    network = build_network("densenet121", 320)
    layers = [layer for layer in network.layers if layer.weights]
    variables = [[*layer.trainable_weights, *layer.non_trainable_weights] for layer in layers]
    return [[tuple(v.shape) for v in each] for each in variables], [layer.name for layer in layers]


def waves():
    y, x = np.mgrid[0:320, 0:320] / 320.0
    drawn = [np.sin(2 * np.pi * (f * x + g * y)) for f, g in ((1, 0), (2, 5), (9, 3))]
    contrast = np.array([120, 60, 30]).reshape(3, 1, 1, 1)
    return np.round(127.5 + np.stack(drawn)[..., None] * contrast).astype(np.float32) / 255.0


def test_a_genuine_file_of_2019_gives_the_predictions_that_tensorflow_1_gave(genuine):
    network, info = load_network(genuine)
    told = json.loads((NOTEBOOK / "predictions.json").read_text())
    assert told["tensorflow"] == "1.13.2"
    assert (info.architecture, info.image_size, info.view) == ("densenet121", 320, "frontal")
    expected = np.array(told["predictions"])
    # Were two layers swapped, the numbers would differ by more than the images do.
    assert expected.std(axis=0).min() > 5e-4
    np.testing.assert_allclose(np.asarray(network(waves(), training=False)), expected, rtol=0, atol=1e-5)


@pytest.fixture(scope="module")
def small():
    made = plain_network(build_network("densenet-small", 32))
    rng = np.random.default_rng(0)
    made.set_weights([rng.normal(0.5, 0.1, weight.shape) for weight in made.get_weights()])
    return made


@pytest.mark.parametrize("name", ["model.keras", "model.weights.h5"])
def test_what_keras_3_saves_is_read_with_every_weight(small, tmp_path, name):
    path = tmp_path / name
    small.save(path) if name.endswith(".keras") else small.save_weights(path)
    fresh = build_network("densenet-small", 32)
    load_into(fresh, path)
    for before, after in zip(small.get_weights(), fresh.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def changed(genuine, tmp_path, change):
    path = tmp_path / "model.h5"
    shutil.copy(genuine, path)
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def renamed_head(file):
    root = file["model_weights"]
    root.move("dense", "classifier")
    names = list(root.attrs["layer_names"])
    root.attrs["layer_names"] = [b"classifier" if name == b"dense" else name for name in names]


def renamed_middle(file):
    root = file["model_weights"]
    root.move("conv2_block1_1_conv", "elsewhere")
    names = list(root.attrs["layer_names"])
    root.attrs["layer_names"] = [b"elsewhere" if name == b"conv2_block1_1_conv" else name for name in names]


def missing_layer(file):
    root = file["model_weights"]
    root.attrs["layer_names"] = [n for n in root.attrs["layer_names"] if n != b"conv5_block16_2_conv"]


def missing_tensor(file):
    del file["model_weights/dense/dense/bias:0"]


def wrong_shape(file):
    group = file["model_weights/dense/dense"]
    del group["kernel:0"]
    group["kernel:0"] = np.zeros((1024, 13), np.float32)


def extra_layer(file):
    root = file["model_weights"]
    group = root.create_group("dense_1")
    group.attrs["weight_names"] = [b"dense_1/kernel:0"]
    group["dense_1/kernel:0"] = np.zeros((14, 14), np.float32)
    root.attrs["layer_names"] = [*root.attrs["layer_names"], b"dense_1"]


def lambda_layer(file):
    config = json.loads(file.attrs["model_config"])
    code = {"class_name": "Lambda", "name": "x", "config": {"name": "x", "function": "evil"}, "inbound_nodes": []}
    config["config"]["layers"].insert(3, code)
    file.attrs["model_config"] = json.dumps(config)


def sigmoid_head(file):
    config = json.loads(file.attrs["model_config"])
    config["config"]["layers"][-1]["config"]["activation"] = "sigmoid"
    file.attrs["model_config"] = json.dumps(config)


def soft_link(file):
    group = file["model_weights/dense/dense"]
    del group["kernel:0"]
    group["kernel:0"] = h5py.SoftLink("/model_weights/conv1/conv/kernel:0")


def external_link(file):
    group = file["model_weights/dense/dense"]
    del group["kernel:0"]
    group["kernel:0"] = h5py.ExternalLink("/etc/passwd", "/")


def claims_100_gigabytes(file):
    group = file["model_weights/dense/dense"]
    del group["kernel:0"]
    group.create_dataset("kernel:0", shape=(1024, 25_000_000), dtype="f4", chunks=(64, 64))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (renamed_head, "the head must be a layer `dense`, the file has 'classifier'"),
        (renamed_middle, "a layer conv2_block1_1_conv where the file has 'elsewhere'"),
        (missing_layer, "242 layers with weights, the file 241"),
        (missing_tensor, "bias:0 is missing or only a link"),
        (wrong_shape, r"must be floats of shape \(1024, 14\), the file has \(1024, 13\)"),
        (extra_layer, "242 layers with weights, the file 243"),
        (lambda_layer, "a layer of the kind 'Lambda'"),
        (sigmoid_head, "one dense layer, a linear one"),
        (soft_link, "is missing or only a link"),
        (external_link, "is missing or only a link"),
        (claims_100_gigabytes, r"the file has \(1024, 25000000\)"),
    ],
)
def test_a_file_of_another_network_is_refused_in_one_sentence(genuine, shapes, tmp_path, change, said):
    path = changed(genuine, tmp_path, change)
    with pytest.raises(ModelFileError, match=said) as refused:
        read_weights(path, *shapes)
    assert "\n" not in str(refused.value)


def rewritten(small, tmp_path, change):
    """A `.keras` archive whose members went through `change`."""
    small.save(tmp_path / "good.keras")
    with zipfile.ZipFile(tmp_path / "good.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(tmp_path / "bad.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return tmp_path / "bad.keras"


def foreign_module(members):
    config = json.loads(members["config.json"])
    config["config"]["layers"][2]["module"] = "os"
    members["config.json"] = json.dumps(config)


def custom_layer(members):
    config = json.loads(members["config.json"])
    config["config"]["layers"][2]["class_name"] = "Evil"
    members["config.json"] = json.dumps(config)


def pickled_weights(members):
    members["model.weights.h5"] = pickle.dumps({"a": 1})


def with_a_pickle(members):
    members["weights.pkl"] = pickle.dumps({"a": 1})


def bomb(members):
    members["model.weights.h5"] = b"\0" * 500_000_000


def extra_tensor(members):
    content = io.BytesIO(members["model.weights.h5"])
    with h5py.File(content, "r+") as file:
        file["layers/dense_1/vars/0"] = np.zeros((14, 14), np.float32)
    members["model.weights.h5"] = content.getvalue()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (foreign_module, "foreign module 'os'"),
        (custom_layer, "a layer of the kind 'Evil'"),
        (pickled_weights, "is no HDF5 file"),
        (with_a_pickle, "'weights.pkl', which Keras does not write"),
        (bomb, "more than the network has"),
        (extra_tensor, "the tensor layers/dense_1/vars/0, which the network has not"),
        (lambda members: members.pop("config.json"), "without config.json"),
    ],
)
def test_an_archive_that_keras_did_not_write_is_refused(small, tmp_path, change, said):
    path = rewritten(small, tmp_path, change)
    with pytest.raises(ModelFileError, match=said):
        load_into(build_network("densenet-small", 32), path)


def test_a_pickle_is_no_model_file(tmp_path):
    (tmp_path / "model.h5").write_bytes(pickle.dumps({"weights": [1, 2, 3]}))
    with pytest.raises(ModelFileError, match="is no HDF5 file"):
        load_network(tmp_path / "model.h5")
