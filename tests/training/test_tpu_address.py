import pytest

from cxr_core.errors import UsageError
from cxr_core.training.tpu_address import check_tpu_reads, tpu_address


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({}, None),
        ({"TPU_NAME": ""}, None),
        ({"TPU_NAME": "local"}, "local"),
        ({"TPU_NAME": "mine", "COLAB_TPU_ADDR": "10.0.0.2:8470"}, "mine"),
        ({"COLAB_TPU_ADDR": "10.0.0.2:8470"}, "grpc://10.0.0.2:8470"),
        ({"COLAB_TPU_ADDR": "grpc://10.0.0.2:8470"}, "grpc://10.0.0.2:8470"),
    ],
)
def test_the_environment_names_the_tpu(environment, address):
    assert tpu_address(environment) == address


def test_a_tpu_on_another_machine_is_not_given_files_of_this_one():
    files = ["gs://bucket/train/frontal-1", "/data/train/frontal-2"]
    with pytest.raises(UsageError, match=r"must lie on gs://\. Received: /data/train/frontal-2\."):
        check_tpu_reads(files, {"TPU_NAME": "mine"})
    check_tpu_reads(files[:1], {"TPU_NAME": "mine"})
    check_tpu_reads(files, {"TPU_NAME": "local"})
