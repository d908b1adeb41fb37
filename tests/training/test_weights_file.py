import hashlib
import itertools
import json

import h5py
import numpy as np
import pytest

from cxr_core.errors import ModelFileError
from cxr_core.training.weights_file import ModelInfo, read_info, read_weights, write_layers
from cxr_core.uncertainty import named_policy

INFO = ModelInfo("densenet-small", 96, "lateral", named_policy("hybrid").as_dict(), run="20261123-040000-abcdef")
SHAPES = [[(3, 3, 1, 2)], [(2,), (2,)]]


def layers(value=1.0):
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(3, 3, 1, 2)) * value
    return [
        ("conv", [("kernel:0", kernel)]),
        ("bn", [("gamma:0", np.ones(2)), ("moving_variance:0", np.full(2, 1e-7))]),
    ]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "model.h5"
    write_layers(layers(), path, INFO)
    return path


def test_what_was_written_is_read_again(path):
    read = read_weights(path, SHAPES)
    for (_, weights), arrays in zip(layers(), read, strict=True):
        for (_, expected), array in zip(weights, arrays, strict=True):
            np.testing.assert_array_equal(array, expected.astype(np.float32))
    assert read_info(path) == INFO


def test_half_precision_rounds_the_kernels_and_keeps_small_variances(tmp_path):
    path = tmp_path / "half.h5"
    write_layers(layers(), path, INFO, "float16")
    read = read_weights(path, SHAPES)
    np.testing.assert_array_equal(read[0][0], layers()[0][1][0][1].astype(np.float16).astype(np.float32))
    np.testing.assert_array_equal(read[1][1], np.full(2, 1e-7, np.float32))


def test_more_names_than_one_attribute_holds_are_split_and_read_in_order(tmp_path):
    many = [(f"a_layer_with_quite_a_long_name_{i:04d}", [("w:0", np.full(1, i))]) for i in range(2000)]
    path = tmp_path / "many.h5"
    write_layers(many, path, INFO)
    with h5py.File(path) as file:
        assert "layer_names" not in file["model_weights"].attrs
    assert [int(arrays[0][0]) for arrays in read_weights(path, [[(1,)]] * 2000)] == list(range(2000))


def test_a_file_without_cxr_is_the_notebooks_network_and_its_name_tells_the_rest(tmp_path):
    path = tmp_path / "densenet_frontal_u0_5__w0_25.h5"
    write_layers(layers(), path, INFO)
    with h5py.File(path, "a") as file:
        del file.attrs["cxr"], file.attrs["cxr_digest"]
    info = read_info(path)
    assert (info.architecture, info.image_size, info.view) == ("densenet121", 320, "frontal")
    assert info.policy == named_policy("hybrid").as_dict()


@pytest.mark.parametrize(
    "change",
    [
        {"architecture": "resnet"},
        {"image_size": 10**9},
        {"labels": ["edema"]},
        {"view": "other"},
        {"policy": 3},
        {"x": 1},
    ],
)
def test_an_info_that_we_never_write_is_refused(path, change):
    with h5py.File(path, "a") as file:
        file.attrs["cxr"] = json.dumps(json.loads(file.attrs["cxr"]) | change)
    with pytest.raises(ModelFileError, match="does not say which network"):
        read_info(path)


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        ([[(3, 3, 1, 2)]], "1 layers with weights, the file 2"),
        ([*SHAPES, [(1,)]], "3 layers with weights, the file 2"),
        ([[(3, 3, 1, 4)], [(2,), (2,)]], r"must be floats of shape \(3, 3, 1, 4\)"),
        ([[(3, 3, 1, 2)], [(2,)]], "must have 1 weights, the file has 2"),
    ],
)
def test_another_network_is_refused(path, shapes, said):
    with pytest.raises(ModelFileError, match=said):
        read_weights(path, shapes)


def replaced(path, make):
    with h5py.File(path, "a") as file:
        group = file["model_weights/conv"]
        del group["kernel:0"]
        make(group)


def test_links_to_other_files_and_places_are_refused(path, tmp_path):
    other = tmp_path / "other.h5"
    write_layers(layers(), other, INFO)
    replaced(
        path, lambda group: group.__setitem__("kernel:0", h5py.ExternalLink(other, "/model_weights/conv/kernel:0"))
    )
    with pytest.raises(ModelFileError, match="only a link"):
        read_weights(path, SHAPES)
    replaced(path, lambda group: group.__setitem__("kernel:0", h5py.SoftLink("/model_weights/bn/gamma:0")))
    with pytest.raises(ModelFileError, match="only a link"):
        read_weights(path, SHAPES)


def test_raw_data_in_another_file_is_refused(path, tmp_path):
    secret = tmp_path / "secret.bin"
    secret.write_bytes(bytes(72))
    replaced(path, lambda g: g.create_dataset("kernel:0", SHAPES[0][0], "f4", external=[(str(secret), 0, 72)]))
    with pytest.raises(ModelFileError, match="another file"):
        read_weights(path, SHAPES)


def test_a_virtual_dataset_is_refused(path, tmp_path):
    layout = h5py.VirtualLayout(SHAPES[0][0], "f4")
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "x", SHAPES[0][0])
    replaced(path, lambda group: group.create_virtual_dataset("kernel:0", layout))
    with pytest.raises(ModelFileError, match="another file"):
        read_weights(path, SHAPES)


def test_a_small_file_that_claims_terabytes_is_refused_before_anything_is_read(path):
    replaced(path, lambda group: group.create_dataset("kernel:0", (2**20, 2**20), "f4", chunks=(64, 64)))
    with pytest.raises(ModelFileError, match=r"the file has \(1048576, 1048576\)"):
        read_weights(path, SHAPES)


@pytest.mark.parametrize("array", [np.full(SHAPES[0][0], np.nan), np.ones(SHAPES[0][0], np.int64)])
def test_numbers_that_are_no_weights_are_refused(path, array):
    replaced(path, lambda group: group.create_dataset("kernel:0", data=array))
    with pytest.raises(ModelFileError, match="not finite|must be floats"):
        read_weights(path, SHAPES)


def test_damaged_and_missing_files_are_refused(path, tmp_path):
    content = path.read_bytes()
    for broken in (b"", b"no HDF5", content[: len(content) // 2]):
        path.write_bytes(broken)
        with pytest.raises(ModelFileError, match=r"model\.h5"):
            read_info(path)
    with pytest.raises(ModelFileError, match="does not exist"):
        read_weights(tmp_path / "absent.h5", SHAPES)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_any_flipped_byte_gives_what_was_written_or_a_model_file_error(tmp_path, dtype):
    path = tmp_path / "model.h5"
    write_layers(layers(), path, INFO, dtype)
    content, written, told = path.read_bytes(), read_weights(path, SHAPES), 0
    for position in range(0, len(content), max(1, len(content) // 400)):
        flipped = bytearray(content)
        flipped[position] ^= 0xFF
        path.write_bytes(flipped)
        try:
            info, found = read_info(path), read_weights(path, SHAPES)
        except ModelFileError as error:
            told += "changed after it was written" in str(error)
            continue
        assert info == INFO
        assert all(map(np.array_equal, itertools.chain(*found), itertools.chain(*written))), position
    assert told, "some flips hit a weight"


def test_a_changed_weight_is_told_and_one_of_before_is_read(path):
    with h5py.File(path, "a") as file:
        file["model_weights/conv/kernel:0"][0, 0, 0, 0] += 1e-6
    with pytest.raises(ModelFileError, match="its weights were changed after it was written, by a disk or a copy"):
        read_weights(path, SHAPES)
    with h5py.File(path, "a") as file:
        del file.attrs["cxr_digest"]
    assert len(read_weights(path, SHAPES)) == 2
    assert read_info(path) == INFO


def test_a_changed_description_is_told(path):
    with h5py.File(path, "a") as file:
        said = json.loads(file.attrs["cxr"])
        file.attrs["cxr"] = json.dumps(said | {"run": "another"})
    with pytest.raises(ModelFileError, match="what it says of its network was changed after it was written"):
        read_info(path)


def test_the_digest_is_of_the_numbers_as_anybody_can_compute_it(path):
    with h5py.File(path) as file:
        told = json.loads(file.attrs["cxr_digest"])["weights"]
        digest = hashlib.sha256()
        for layer in file["model_weights"].attrs["layer_names"]:
            group = file["model_weights"][layer.decode()]
            for name in group.attrs["weight_names"]:
                digest.update(f"{group[name.decode()].shape}".encode() + group[name.decode()][()].tobytes())
            digest.update(b"|")
    assert told == digest.hexdigest()
