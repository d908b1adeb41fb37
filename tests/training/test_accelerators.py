import pytest

from cxr_core.errors import UnknownNameError, UsageError
from cxr_core.training import accelerators
from cxr_core.training.accelerators import gpu_names, has_nvidia_device, lacking_gpu_reason, probe, strategy_for
from cxr_core.training.probe import Accelerator

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize(
    ("has_device", "is_cuda_build", "environment", "said"),
    [
        (False, True, {}, "This machine has no NVIDIA GPU"),
        (False, False, {"CUDA_VISIBLE_DEVICES": "-1"}, "This machine has no NVIDIA GPU"),
        (True, False, {}, "this TensorFlow was built without CUDA"),
        (True, True, {}, "cannot load the CUDA libraries"),
        (True, True, {"CUDA_VISIBLE_DEVICES": "0"}, "cannot load the CUDA libraries"),
        (True, True, {"CUDA_VISIBLE_DEVICES": ""}, "CUDA_VISIBLE_DEVICES hides it"),
    ],
)
def test_no_gpu_is_told_from_a_gpu_that_tensorflow_cannot_use(has_device, is_cuda_build, environment, said):
    assert said in lacking_gpu_reason(has_device, is_cuda_build, environment)


def test_a_gpu_is_known_from_the_kernels_devices(tmp_path):
    assert not has_nvidia_device(tmp_path)
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "nvidiactl").touch()
    assert not has_nvidia_device(tmp_path)
    (tmp_path / "dev" / "nvidia0").touch()
    assert has_nvidia_device(tmp_path)


def test_every_accelerator_is_listed_and_says_why_it_is_missing(monkeypatch):
    for name in ("TPU_NAME", "COLAB_TPU_ADDR", "TF_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    found = {accelerator.name: accelerator for accelerator in probe()}
    assert list(found) == ["cpu", "gpu", "multi-gpu", "tpu", "multi-worker"]
    assert found["cpu"].available
    assert all(accelerator.available == (not accelerator.reason) for accelerator in found.values())
    assert "neither TPU_NAME nor COLAB_TPU_ADDR" in found["tpu"].reason


def test_a_tpu_is_available_only_when_it_answers(monkeypatch):
    monkeypatch.setenv("TPU_NAME", "local")
    assert probe()[3] == Accelerator(
        "tpu", False, "This TensorFlow was built without TPU operations. Install tensorflow-tpu."
    )
    monkeypatch.setenv("TPU_NAME", "mine")
    monkeypatch.setattr(accelerators, "tpu_devices", lambda address: (f"{address}:0",))
    assert probe()[3] == Accelerator("tpu", True, "", ("mine", "mine:0"))


@pytest.mark.parametrize(
    ("count", "environment", "names"),
    [
        (2, {}, ("gpu:0", "gpu:1")),
        (2, {"CUDA_VISIBLE_DEVICES": "3, 1"}, ("gpu:3", "gpu:1")),
        (
            1,
            {"CUDA_VISIBLE_DEVICES": "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6"},
            ("gpu:GPU-8932f937-d72c-4106-c12f-20bd9faed9f6",),
        ),
        (1, {"CUDA_VISIBLE_DEVICES": "2,-1,0"}, ("gpu:2",)),
        (0, {"CUDA_VISIBLE_DEVICES": ""}, ()),
    ],
)
def test_a_gpu_is_called_what_cuda_calls_it_whatever_else_this_process_sees(count, environment, names):
    assert gpu_names(count, environment) == names


@pytest.mark.parametrize(
    ("text", "devices", "said"),
    [
        ('{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 1}}', 3, ""),
        ('{"cluster": {"chief": ["a:1"], "worker": ["b:2"]}, "task": {"type": "chief", "index": 0}}', 3, ""),
        ("", 0, "TF_CONFIG is not set"),
        ('{"task": {}}', 0, "TF_CONFIG must be JSON with a cluster"),
        ("no json", 0, "TF_CONFIG must be JSON with a cluster"),
    ],
)
def test_several_machines_are_known_from_tf_config(text, devices, said, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    found = probe()[4]
    assert len(found.devices) == devices
    assert said in found.reason
    assert found.available == (not said)


def test_an_accelerator_that_is_missing_is_refused_with_the_reason(monkeypatch):
    for name in ("TPU_NAME", "COLAB_TPU_ADDR", "TF_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match="tpu cannot be used: No TPU is configured"):
        strategy_for("tpu")
    with pytest.raises(UnknownNameError):
        strategy_for("npu")
    assert strategy_for("cpu").num_replicas_in_sync == 1
