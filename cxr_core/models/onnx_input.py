"""Pixels of 0 to 255 -> the pictures that an ONNX model wants, as its card says."""

from typing import Any

import numpy as np
import numpy.typing as npt

from cxr_core.models.onnx_card import FIRST, OnnxCard

#: Pictures that go to the model at once.
BATCH_SIZE = 16


def pictures_for(card: OnnxCard, pixels: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return float32 pictures in the card's layout, range and normalisation, of (batch, size, size, 1) pixels."""
    grey = np.float32(1.0 / 255.0) * pixels.astype(np.float32)  # as `training.pixels.scaled` does
    spread = grey * np.float32(card.high - card.low) + np.float32(card.low)
    coloured = np.repeat(spread, card.channels, axis=3)
    normal = (coloured - np.asarray(card.mean, np.float32)) / np.asarray(card.std, np.float32)
    return np.ascontiguousarray(normal.transpose(0, 3, 1, 2) if card.layout == FIRST else normal)
