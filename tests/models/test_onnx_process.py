"""A foreign ONNX model runs in a process with limits; one that is no plain network ends in a sentence there."""

import os
import socket
import subprocess
import sys

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_files import XRV_CARD, written, xrv_model, xrv_weights
from scipy.special import expit

from cxr_core.errors import ModelFileError
from cxr_core.models.onnx_card import read_card
from cxr_core.models.onnx_process import OnnxProcess, check_onnx


def run(file, count=3):
    card_file = file.with_suffix(".toml")
    card = read_card(card_file)
    pictures = np.random.default_rng(0).uniform(card.low, card.high, (count, *card.picture_shape)).astype(np.float32)
    with OnnxProcess(file, card_file, card) as running:
        return pictures, running.outputs(pictures)


def expected(pictures, axes=(1, 2, 3)):
    scale, offset = xrv_weights()
    return expit(pictures.mean(axis=axes)[:, None] * scale + offset)


@pytest.mark.parametrize("batch", ["batch", 1, 4])
def test_a_model_answers_as_its_graph_says_whatever_batch_it_asks_for(tmp_path, batch):
    pictures, outputs = run(written(tmp_path, xrv_model(shape=(batch, 1, 224, 224))), count=18)
    np.testing.assert_allclose(outputs, expected(pictures), rtol=1e-4, atol=1e-5)


def test_nothing_of_it_is_loaded_into_the_process_that_asks(tmp_path):
    file = written(tmp_path, xrv_model())
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from cxr_core.models.onnx_card import read_card\nfrom cxr_core.models.onnx_process import check_onnx\n"
        "model, card = map(Path, sys.argv[1:])\ncheck_onnx(model, card, read_card(card))\n"
        "print(sorted({'onnx', 'onnxruntime', 'tensorflow'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(file), str(file.with_suffix(".toml"))]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_once_the_model_is_read_no_file_and_no_connection_is_opened():
    code = (
        "import socket, sys\nfrom cxr_core.models.onnx_worker import limit, open_nothing_more\n"
        "limit(0)\nopen_nothing_more()\n"
        "for attempt in (socket.socket, lambda: open('/etc/passwd')):\n"
        "    try:\n        attempt()\n        sys.exit('opened')\n    except OSError as error:\n        print(error.errno)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["24", "24"]  # too many open files
    socket.socket().close()  # which this process may


def external(folder, location, length=72, offset=0):
    """The stand-in, with the numbers of `scale` in another file."""
    model = xrv_model()
    tensor = next(one for one in model.graph.initializer if one.name == "scale")
    numbers = tensor.raw_data
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", str(offset)), ("length", str(length))):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    return numbers, written(folder, model)


def test_weights_beside_the_model_are_read(tmp_path):
    numbers, file = external(tmp_path, "weights.bin", offset=8)
    (tmp_path / "weights.bin").write_bytes(b"8 bytes:" + numbers)
    pictures, outputs = run(file)
    np.testing.assert_allclose(outputs, expected(pictures), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/passwd", "deep/weights.bin", "..", "", "a\nb"])
def test_weights_outside_its_folder_are_not_read(tmp_path, location):
    (tmp_path / "own").mkdir()
    (tmp_path / "weights.bin").write_bytes(bytes(72))
    _, file = external(tmp_path / "own", location)
    with pytest.raises(ModelFileError, match="weights are elsewhere than in its own folder"):
        run(file)


@pytest.mark.parametrize("made", ["link", "hard link", "pipe", "short", "nothing"])
def test_weights_that_are_no_whole_file_of_its_folder_are_not_read(tmp_path, made):
    (tmp_path / "own").mkdir()
    elsewhere, here = tmp_path / "secret.bin", tmp_path / "own" / "weights.bin"
    elsewhere.write_bytes(bytes(72))
    if made == "link":
        here.symlink_to(elsewhere)
    elif made == "hard link":
        here.hardlink_to(elsewhere)
    elif made == "pipe":
        os.mkfifo(here)
    elif made == "short":
        here.write_bytes(bytes(71))
    _, file = external(tmp_path / "own", "weights.bin")
    with pytest.raises(ModelFileError, match="'weights.bin' are not there whole"):
        run(file)


AVERAGE = (
    helper.make_node("GlobalAveragePool", ["pictures"], ["means"]),
    helper.make_node("Flatten", ["means"], ["flat"]),
)


def node(kind, inputs=("pictures",), **attributes):
    return helper.make_node(kind, inputs, ["made"], **attributes)


def claim(*dims):
    """A tensor that claims more than it has."""
    return TensorProto(name="claim", data_type=TensorProto.FLOAT, dims=dims, raw_data=b"four")


def repeated_expansion():
    """A picture's mean as a tensor of 10^12 numbers, by two nodes and a hundred bytes."""
    shape = numpy_helper.from_array(np.array([1_000_000, 1_000_000], np.int64), "wide")
    nodes = [
        *AVERAGE,
        helper.make_node("Expand", ["flat", "wide"], ["huge"]),
        helper.make_node("MatMul", ["huge", "tall"], ["made"]),
    ]
    tall = helper.make_node("ConstantOfShape", ["sizes"], ["tall"])
    sizes = numpy_helper.from_array(np.array([1_000_000, 18], np.int64), "sizes")
    return xrv_model([tall, *nodes], weights=[shape, sizes])


def branched():
    graph = helper.make_graph([helper.make_node("Identity", ["offset"], ["made"])], "within", [], [])
    return xrv_model([helper.make_node("If", ["offset"], ["made"], then_branch=graph, else_branch=graph)])


def field(number, content):
    """A field of a protobuf message, of a length."""
    size, left = b"", len(content)
    while left > 127:
        size, left = size + bytes([left & 127 | 128]), left >> 7
    return bytes([number << 3 | 2]) + size + bytes([left]) + content


def nested(depth):
    """A graph in an attribute (6) of a node's (5) of a graph (1), and so on, as no library writes it."""
    graph = b""
    for _ in range(depth):
        graph = field(1, field(5, field(6, graph)))
    return field(7, graph)


def with_function():
    model = xrv_model()
    model.functions.add().CopyFrom(
        helper.make_function("own", "Sigmoid", ["a"], ["b"], [], [helper.make_opsetid("", 17)])
    )
    return model


CASES = {
    "no file of ONNX": (lambda: b"\x08not at all", "is no ONNX file, or is damaged or nested too deeply"),
    "cut off": (lambda: xrv_model().SerializeToString()[:-40], "is no ONNX file, or is damaged"),
    "a name that is no text": (
        lambda: xrv_model().SerializeToString().replace(b"Sigmoid", b"Sigmo\xffd"),
        "is no ONNX file, or is damaged",
    ),
    "unknown operator": (lambda: xrv_model([node("Launch")]), "operator 'Launch', which is none of ONNX's standard"),
    "foreign domain": (
        lambda: xrv_model([node("Sigmoid", domain="evil.corp")], opsets=[("", 17), ("evil.corp", 1)]),
        "the domain 'evil.corp', and only ONNX's standard operators",
    ),
    "domain not told": (lambda: xrv_model([node("Gelu", domain="com.microsoft")]), "operator 'com.microsoft.Gelu'"),
    "functions": (with_function, "functions or training of its own"),
    "later operators": (lambda: xrv_model(opsets=[("", 9999)]), "its operators are of version 9999"),
    "a graph in it": (branched, "its operator If has a graph of its own"),
    "nested deeply": (lambda: nested(10_000), "is damaged or nested too deeply"),
    "claims 2 GB": (lambda: xrv_model(weights=[claim(1 << 29, 1)]), "tensors claim more than the 2,000,000,000 bytes"),
    "claims 2^120 bytes": (lambda: xrv_model(weights=[claim(1 << 60, 1 << 60)]), "tensors claim more than"),
    "claims a little more": (lambda: xrv_model(weights=[claim(2)]), "'claim' has 4 bytes and claims 8"),
    "a negative size": (lambda: xrv_model(weights=[claim(-1, -1)]), "'claim' has a negative size"),
    "expanded again and again": (repeated_expansion, "more memory|could not be run|does not take it|crashed"),
    "other pictures": (lambda: xrv_model(shape=("batch", 1, 320, 320)), "N x 1 x 224 x 224, as its card says. It is "),
    "channels last": (lambda: xrv_model(shape=("batch", 224, 224, 1)), "N x 1 x 224 x 224, as its card says. It is "),
    "no pictures": (lambda: xrv_model(shape=("batch", 224)), "as its card says. It is N x 224"),
    "other outputs": (lambda: xrv_model(outputs=14), "its output must be N x 18, as its card names them. It is N x 14"),
    "outputs not told": (
        lambda: xrv_model([*AVERAGE, node("Identity", ["flat"])], outputs="some"),
        "must be 1 x 18 for 1 pictures, as its card names them. It is 1 x 1",
    ),
    "half a graph": (lambda: xrv_model([node("Sigmoid", ["nowhere"])]), "its graph is not whole"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_no_plain_network_ends_in_one_sentence(tmp_path, name):
    make, told = CASES[name]
    file = written(tmp_path, make())
    with pytest.raises(ModelFileError, match=told) as caught:
        run(file, count=1)
    said = str(caught.value)
    assert said.startswith(f"The ONNX model {file} is not run: ") and said.endswith(".") and "\n" not in said
    assert len(said) < 600


def test_the_card_decides_the_layout(tmp_path):
    last = XRV_CARD.replace("channels-first", "channels-last")
    nodes = [
        helper.make_node("Transpose", ["pictures"], ["turned"], perm=(0, 3, 1, 2)),
        helper.make_node("GlobalAveragePool", ["turned"], ["means"]),
        helper.make_node("Flatten", ["means"], ["flat"]),
        helper.make_node("Gemm", ["flat", "scale", "offset"], ["sums"]),
        helper.make_node("Sigmoid", ["sums"], ["made"]),
    ]
    pictures, outputs = run(written(tmp_path, xrv_model(nodes, ("batch", 224, 224, 1)), last))
    np.testing.assert_allclose(outputs, expected(pictures), rtol=1e-4, atol=1e-5)


def test_a_model_is_looked_at_without_pictures(tmp_path):
    file = written(tmp_path, xrv_model())
    check_onnx(file, file.with_suffix(".toml"), read_card(file.with_suffix(".toml")))
