"""An ONNX model and TFRecords -> the keys of each image, and what the model makes of our labels."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cxr_core.models.onnx_card import OnnxCard
from cxr_core.models.onnx_input import BATCH_SIZE, pictures_for
from cxr_core.models.onnx_process import OnnxProcess
from cxr_core.models.predict import Progress, outputs_of
from cxr_core.training.pixels import PixelFormat


def predict_by_onnx(
    model: tuple[Path, Path, OnnxCard],
    paths: Sequence[str | Path],
    labels: pd.DataFrame | None = None,
    limit: int | None = None,
    progress: Progress = lambda images: None,
) -> pd.DataFrame:
    """Return one row an image in file order: the key columns, then a float64 column for each label that the card maps.

    The model runs in a process of its own with limits; the pictures are decoded here, as for any model.

    Args:
        model: the ONNX file, the file of its card, and the card.
        paths: as for `predict_records`.
        labels: as there.
        limit: as there.
        progress: as there.

    Raises:
        ModelFileError: the model cannot be run, or is none that its card describes.
        RecordError: a record is damaged or lacks keys.
    """
    file, card_file, card = model
    with OnnxProcess(file, card_file, card) as running:
        frame, outputs = outputs_of(
            lambda pixels: running.outputs(pictures_for(card, pixels.numpy())),
            len(card.outputs),
            (PixelFormat(card.size, card.decode), BATCH_SIZE),
            [str(path) for path in paths],
            labels,
            limit,
            progress,
        )
    ours = outputs[:, card.places].astype(np.float64)
    return pd.concat([frame, pd.DataFrame(ours, columns=list(card.known))], axis=1)
