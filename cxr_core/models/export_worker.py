"""`python -m cxr_core.models.export_worker MODEL FORM TO`: a model file in another form, from a process apart.

TensorFlow never enters the process that asks, and what is wrong comes back as a sentence in JSON: `{"error"}`.
"""

import json
import sys
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cxr_core.errors import CxrError
from cxr_core.models.export_forms import ONNX
from cxr_core.schema import LABELS
from cxr_core.training.first_import import import_tensorflow
from cxr_core.training.weights_file import ModelInfo

ABOUT = "model.json"


def main(model: Path, form: str, to: Path) -> None:
    """Write the model at `model` to `to`: an ONNX file, or the folder of a SavedModel."""
    import_tensorflow()
    from cxr_core.models.model_file import load_network

    try:
        network, info = load_network(model)
        if form == ONNX:
            from cxr_core.models.onnx_export import onnx_bytes

            to.write_bytes(onnx_bytes(network, info))
        else:
            _write_saved_model(network, info, to)
        said = {}
    except CxrError as error:
        said = {"error": str(error)}
    sys.stdout.write(json.dumps(said))


def _write_saved_model(network: Any, info: ModelInfo, to: Path) -> None:
    """Write what TensorFlow loads without Keras and serves by itself; `model.json` says what network it is."""
    from cxr_core.training.model_files import plain_network

    plain = plain_network(network)
    plain.set_weights(network.get_weights())
    with warnings.catch_warnings():
        # Keras's own way of copying a variable, which NumPy 2 warns of.
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        plain.export(to, format="tf_saved_model", verbose=False)
    (to / ABOUT).write_text(json.dumps(asdict(info) | {"labels": LABELS}, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
