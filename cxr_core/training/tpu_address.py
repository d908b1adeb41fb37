"""Which TPU the environment names, and whether it is another machine; loads no TensorFlow."""

from collections.abc import Mapping, Sequence

from cxr_core.errors import UsageError
from cxr_core.locations import is_remote

VARIABLES = ("TPU_NAME", "COLAB_TPU_ADDR")
#: What TensorFlow calls the TPU of the machine that it runs on.
LOCAL = "local"


def tpu_address(environment: Mapping[str, str]) -> str | None:
    """Return the address or name of the TPU that is to be used; None where none is named."""
    named = [environment[variable] for variable in VARIABLES if environment.get(variable)]
    if not named:
        return None
    is_colab = not environment.get("TPU_NAME") and "://" not in named[0]
    return f"grpc://{named[0]}" if is_colab else named[0]


def check_tpu_reads(files: Sequence[str], environment: Mapping[str, str]) -> None:
    """Raise `UsageError` when a TPU on another machine would have to read files of this one."""
    address = tpu_address(environment)
    if address in (None, LOCAL):
        return
    for file in files:
        if not is_remote(file):
            raise UsageError(
                f"The TPU {address} is another machine, which reads the records itself, so they must lie on gs://. "
                f"Received: {file}. Copy them to Cloud Storage and name them by --records."
            )
