"""An image file of any common kind -> the JPEG of a TFRecord: 320x320 pixels, one channel of 8 bits.

JPEG, PNG (8 and 16 bits, palette, with alpha) and DICOM (MONOCHROME1 is inverted, the window applied) are understood.
A picture that is 320x320 and grey already is kept byte for byte.
"""

import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from cxr_core.errors import CxrError, DataError, UnknownNameError
from cxr_core.schema import RECORD_IMAGE_SIZE

#: How a picture that is not square becomes one: black bars beside it, its middle part, or squeezed.
ASPECTS: tuple[str, ...] = ("pad", "crop", "stretch")
DEFAULT_ASPECT = "pad"
JPEG_QUALITY = 95

_SIZE = (RECORD_IMAGE_SIZE, RECORD_IMAGE_SIZE)
#: The largest detectors have some 20 million pixels.
_MOST_PIXELS = 150_000_000
_DICOM_MARK = b"DICM"


def record_jpeg(content: bytes, aspect: str = DEFAULT_ASPECT) -> bytes:
    """Return the JPEG for a TFRecord.

    Raises:
        UnknownNameError: there is no such aspect.
        DataError: the content is no picture that can be read.
    """
    if aspect not in ASPECTS:
        raise UnknownNameError("aspect", aspect, ASPECTS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            warnings.filterwarnings("ignore", module=r"pydicom")
            return _converted(content, aspect)
    except CxrError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"it has more than {_MOST_PIXELS:,} pixels") from error
    except UnidentifiedImageError as error:
        raise DataError("it is no JPEG, PNG or DICOM file") from error
    except Exception as error:  # what the decoders raise on damaged files is of every kind
        raise DataError(f"it cannot be decoded ({type(error).__name__}: {_first_line(error)})") from error


def _converted(content: bytes, aspect: str) -> bytes:
    picture = _from_dicom(content) if content[128:132] == _DICOM_MARK else _from_image(content)
    if picture is None:
        return content
    resized = _square(picture, aspect)
    packed = io.BytesIO()
    resized.save(packed, "JPEG", quality=JPEG_QUALITY)
    return packed.getvalue()


def _from_image(content: bytes) -> Image.Image | None:
    """Return a picture in grey, or None when its file may be kept as it is."""
    picture: Image.Image = Image.open(io.BytesIO(content), formats=("JPEG", "PNG"))
    _check_pixels(*picture.size)
    if picture.format == "JPEG":
        if picture.size == _SIZE and picture.mode == "L":
            picture.load()
            return None
        # The decoder shrinks while it decodes, to no less than twice the size that is wanted.
        picture.draft("L", (2 * RECORD_IMAGE_SIZE, 2 * RECORD_IMAGE_SIZE))
    if picture.mode.startswith("I") or picture.mode == "F":
        return Image.fromarray(_stretched(np.asarray(picture, np.float32)))
    if picture.mode in ("P", "LA", "RGBA", "PA") or "transparency" in picture.info:
        clear = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", clear.size, (0, 0, 0, 255)), clear)
    return picture.convert("L")


def _from_dicom(content: bytes) -> Image.Image:
    import pydicom
    from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

    dataset = pydicom.dcmread(io.BytesIO(content))
    _check_pixels(int(dataset.Columns), int(dataset.Rows))
    if int(dataset.get("NumberOfFrames", 1) or 1) != 1:
        raise DataError("it is a DICOM file of several frames")
    pixels: Any = dataset.pixel_array
    if pixels.ndim == 3:
        return Image.fromarray(np.asarray(pixels, np.uint8)).convert("L")
    shown = np.asarray(apply_voi_lut(apply_modality_lut(pixels, dataset), dataset), np.float32)
    grey = _stretched(shown)
    return Image.fromarray(255 - grey if dataset.PhotometricInterpretation == "MONOCHROME1" else grey)


def _stretched(pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Return pixels of more than 8 bits with their darkest as 0 and their brightest as 255."""
    low, high = float(pixels.min()), float(pixels.max())
    if not np.isfinite(high - low):
        raise DataError("it has pixels that are no numbers")
    scale = 255.0 / (high - low) if high > low else 0.0
    return np.round((pixels - low) * scale).astype(np.uint8)


def _check_pixels(width: int, height: int) -> None:
    if not 0 < width * height <= _MOST_PIXELS:
        raise DataError(f"it must have 1 to {_MOST_PIXELS:,} pixels, it has {width:,} x {height:,}")


def _square(picture: Image.Image, aspect: str) -> Image.Image:
    ways: dict[str, Callable[[], Image.Image]] = {
        "pad": lambda: ImageOps.pad(picture, _SIZE, Image.Resampling.LANCZOS, color=0),
        "crop": lambda: ImageOps.fit(picture, _SIZE, Image.Resampling.LANCZOS),
        "stretch": lambda: picture.resize(_SIZE, Image.Resampling.LANCZOS),
    }
    return ways[aspect]()


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0][:120]
