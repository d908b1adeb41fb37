"""The embedding of an image as Google's CXR Foundation keeps it: an Example with `image/id` and `embedding`."""

import numpy as np
import numpy.typing as npt

from cxr_core.errors import RecordError
from cxr_core.records.example import features_of

_ID, _VECTOR = "image/id", "embedding"


def decode_embedding(payload: bytes, where: str) -> tuple[str, npt.NDArray[np.float32]]:
    """Return the id of the image and its embedding (size,); `where` names the record in errors.

    Raises:
        RecordError: the payload is no Example, or lacks one of the two.
    """
    features = features_of(payload, where)
    name = features[_ID].bytes_list.value if _ID in features else []
    vector = features[_VECTOR].float_list.value if _VECTOR in features else []
    if len(name) != 1 or not len(vector):
        raise RecordError(f"{where} must have the bytes {_ID} and the floats {_VECTOR}, as CXR Foundation's records.")
    return name[0].decode(errors="replace"), np.fromiter(vector, np.float32, len(vector))
