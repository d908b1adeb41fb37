"""From densities to pixels: scatter, exposure, noise, collimation, side marker."""

import numpy as np
from numpy.typing import NDArray

from cxr_core.sources.phantoms.anatomy import FULL_SIZE, Scene
from cxr_core.sources.phantoms.fields import Field, cloud, doubled


def develop(scene: Scene, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the scene as a picture, (FULL_SIZE, FULL_SIZE), 0 black to 255 white."""
    scene.density += np.float32(0.008) * cloud(rng, 20, 3) * scene.lungs
    density = _scattered(scene.density, 0.10 + 0.15 * rng.random())
    picture: Field = doubled(density) + scene.thin
    picture = _exposed(picture, rng)
    picture += _grain(rng)
    _mark_side(picture, scene.frontal, rng)
    _collimate(picture, rng)
    return (np.clip(picture, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def _scattered(density: Field, share: float) -> Field:
    """Mix in a veil: the mean over blocks of 8 x 8 pixels, spread out."""
    blocks = density.reshape(20, 8, 20, 8)
    veil = sum((blocks[:, i, :, j] for i in (1, 5) for j in (1, 5)), np.zeros((20, 20), np.float32)) / np.float32(4)
    for _ in range(3):
        veil = doubled(veil)
    return density * np.float32(1 - share) + veil * np.float32(share)


def _exposed(picture: Field, rng: np.random.Generator) -> Field:
    """Apply brightness, contrast and a tone curve that flattens the bright end."""
    gain = np.float32(1.25 + 0.08 * rng.standard_normal())
    offset = np.float32(0.02 + 0.025 * rng.standard_normal())
    bend = np.float32(0.18 + 0.07 * rng.standard_normal())
    bright = np.clip(picture * gain + offset, 0, np.float32(1.15))
    return bright + bend * bright * (np.float32(1) - bright)


def _grain(rng: np.random.Generator) -> Field:
    """Quantum noise; some detectors are noisier than others."""
    spread = np.float32(0.010 + 0.014 * rng.random())
    return spread * rng.standard_normal((FULL_SIZE, FULL_SIZE), dtype=np.float32)


def _mark_side(picture: Field, frontal: bool, rng: np.random.Generator) -> None:
    """Put the technologist's lead letter L into an upper corner."""
    top = 14 + int(rng.integers(0, 30))
    left = (FULL_SIZE - 30 if frontal else 18) - int(rng.integers(0, 10))
    picture[top : top + 14, left : left + 3] = np.float32(0.95)
    picture[top + 11 : top + 14, left : left + 10] = np.float32(0.95)


def _collimate(picture: Field, rng: np.random.Generator) -> None:
    """Cover some edges by the collimator's shadow."""
    top, bottom, left, right = np.maximum(rng.integers(-16, 14, 4), 0)
    picture[:top] = picture[FULL_SIZE - bottom :] = np.float32(0.02)
    picture[:, :left] = picture[:, FULL_SIZE - right :] = np.float32(0.02)
