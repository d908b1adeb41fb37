import h5py
import numpy as np
import pytest

from cxr_core.errors import ModelFileError
from cxr_core.models.model_file import load_network
from cxr_core.training.network import build_network
from cxr_core.training.weights_file import ModelInfo, load_into, read_info, write_weights
from cxr_core.uncertainty import named_policy

pytestmark = pytest.mark.tensorflow
INFO = ModelInfo("densenet-small", 32, "frontal", named_policy("hybrid").as_dict())


@pytest.fixture(scope="module")
def network():
    """A small network whose weights, statistics included, are all different."""
    made = build_network("densenet-small", 32)
    rng = np.random.default_rng(0)
    made.set_weights([rng.normal(0.5, 0.1, weight.shape) for weight in made.get_weights()])
    return made


def test_a_network_comes_back_with_every_weight(network, tmp_path):
    write_weights(network, tmp_path / "model.h5", INFO)
    loaded, info = load_network(tmp_path / "model.h5")
    assert info == INFO
    for before, after in zip(network.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_keras_own_load_weights_reads_our_file(network, tmp_path, dtype):
    write_weights(network, tmp_path / "model.h5", INFO, dtype)
    fresh = build_network("densenet-small", 32)
    fresh.load_weights(tmp_path / "model.h5")
    for before, after in zip(network.get_weights(), fresh.get_weights(), strict=True):
        np.testing.assert_allclose(before, after, rtol=2**-11 if dtype == "float16" else 0)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own, on NumPy 2
def test_a_file_that_keras_wrote_is_read_like_ours(network, tmp_path):
    path = tmp_path / "keras.weights.h5"
    with h5py.File(path, "w") as file:
        from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

        save_weights_to_hdf5_group(file.create_group("model_weights"), network)
    fresh = build_network("densenet-small", 32)
    load_into(fresh, path)
    for before, after in zip(network.get_weights(), fresh.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_the_shipped_form_of_the_small_network_is_below_two_megabytes(network, tmp_path):
    fresh = build_network("densenet-small", 96)
    write_weights(fresh, tmp_path / "model.h5", INFO, "float16")
    assert (tmp_path / "model.h5").stat().st_size < 2_000_000


def test_a_file_that_holds_another_network_than_it_says_is_refused_and_changes_nothing(network, tmp_path):
    path = tmp_path / "densenet_frontal_u0_0__w0_0.h5"
    write_weights(network, path, INFO)
    with h5py.File(path, "a") as file:
        del file.attrs["cxr"], file.attrs["cxr_digest"]
    assert read_info(path).architecture == "densenet121"
    with pytest.raises(ModelFileError, match="does not fit"):
        load_network(path)
    other = build_network("densenet-small", 32)
    before = other.get_weights()
    with h5py.File(path, "a") as file:
        group = file["model_weights/logits"]
        del group["bias:0"]
        group.create_dataset("bias:0", data=np.zeros(15, np.float32))
    with pytest.raises(ModelFileError, match="logits/bias"):
        load_into(other, path)
    for kept, now in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, now)


def test_a_configuration_in_the_file_is_never_loaded_and_one_of_another_network_refused(network, tmp_path):
    write_weights(network, tmp_path / "model.h5", INFO)
    with h5py.File(tmp_path / "model.h5", "a") as file:
        file.attrs["model_config"] = '{"class_name": "Lambda", "config": {"function": "evil"}}'
    with pytest.raises(ModelFileError, match="it must be a functional model, the file has 'Lambda'"):
        load_network(tmp_path / "model.h5")
