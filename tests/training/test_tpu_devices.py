import threading

import pytest

from cxr_core.errors import UsageError
from cxr_core.training.tpu_devices import has_tpu_kernels, tpu_devices

pytestmark = pytest.mark.tensorflow


def refuse(_address):
    raise RuntimeError("no route to host\nat line 3")


def test_the_tensorflow_of_pypi_has_no_tpu_operations():
    assert not has_tpu_kernels()


def test_a_tpu_that_answers_tells_its_devices():
    assert tpu_devices("grpc://10.0.0.2:8470", lambda address: (f"{address}/TPU:0",)) == ("grpc://10.0.0.2:8470/TPU:0",)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (refuse, r"The TPU mine cannot be reached: no route to host$"),
        (lambda address: (), "The TPU mine answers, but has no device"),
    ],
)
def test_a_tpu_that_cannot_be_used_is_told_in_a_sentence(ask, said):
    with pytest.raises(UsageError, match=said):
        tpu_devices("mine", ask)


def test_a_tpu_that_never_answers_is_not_waited_for():
    never = threading.Event()
    with pytest.raises(UsageError, match="The TPU mine does not answer within 0 s"):
        tpu_devices("mine", lambda address: never.wait() or (), patience=0)
    never.set()
