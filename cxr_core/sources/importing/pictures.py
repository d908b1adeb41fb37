"""An image file of any common kind -> the JPEG of a TFRecord: 320x320 pixels, one channel of 8 bits.

JPEG, PNG, TIFF, JPEG 2000 and BMP (8 and 16 bits, palette, with alpha, turned as the camera says) and DICOM are
understood. A picture that is 320x320 and grey already is kept byte for byte.
"""

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from cxr_core.errors import CxrError, DataError, UnknownNameError
from cxr_core.schema import RECORD_IMAGE_SIZE
from cxr_core.sources.importing.dicom_pictures import dicom_picture, is_dicom
from cxr_core.sources.importing.grey_range import stretched

#: How a picture that is not square becomes one: black bars beside it, its middle part, or squeezed.
ASPECTS: tuple[str, ...] = ("pad", "crop", "stretch")
DEFAULT_ASPECT = "pad"
JPEG_QUALITY = 95

_SIZE = (RECORD_IMAGE_SIZE, RECORD_IMAGE_SIZE)
#: The largest detectors have some 20 million pixels.
_MOST_PIXELS = 150_000_000
#: Pillow keeps the upper 8 of 16 bits of a colour; where they are all below this, most of the depth is lost.
_LEAST_COLOUR = 64
_FORMATS = ("JPEG", "PNG", "TIFF", "JPEG2000", "BMP")
_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Preparation:
    """How pictures become records: their `aspect`, and whether their histogram is made flat (`equalise`)."""

    aspect: str = DEFAULT_ASPECT
    equalise: bool = False


def record_jpeg(content: bytes, aspect: str = DEFAULT_ASPECT, equalise: bool = False) -> bytes:
    """Return the JPEG for a TFRecord.

    Args:
        content: of the image file.
        aspect: one of `ASPECTS`.
        equalise: whether the histogram is made flat (`ImageOps.equalize`), as MIMIC-CXR-JPG's pictures are; bars beside
            the picture do not count.

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
            return _converted(content, aspect, equalise)
    except CxrError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"it has more than {_MOST_PIXELS:,} pixels") from error
    except UnidentifiedImageError as error:
        raise DataError("it is no JPEG, PNG, TIFF, JPEG 2000, BMP or DICOM file") from error
    except Exception as error:  # what the decoders raise on damaged files is of every kind
        raise DataError(f"it cannot be decoded ({type(error).__name__}: {_first_line(error)})") from error


def _converted(content: bytes, aspect: str, equalise: bool) -> bytes:
    picture = dicom_picture(content, _MOST_PIXELS) if is_dicom(content) else _from_image(content, equalise)
    if picture is None:
        return content
    if equalise:
        picture = ImageOps.equalize(picture)
    resized = _square(picture, aspect)
    packed = io.BytesIO()
    resized.save(packed, "JPEG", quality=JPEG_QUALITY)
    return packed.getvalue()


def _from_image(content: bytes, is_changed: bool) -> Image.Image | None:
    """Return a picture in grey and upright, or None when its file may be kept as it is, for nothing `is_changed`."""
    picture: Image.Image = Image.open(io.BytesIO(content), formats=_FORMATS)
    _check_pixels(*picture.size)
    if getattr(picture, "n_frames", 1) != 1:
        raise DataError("it is a file of several pictures")
    is_upright = picture.getexif().get(_ORIENTATION, 1) == 1
    if picture.format == "JPEG":
        if picture.size == _SIZE and picture.mode == "L" and is_upright and not is_changed:
            picture.load()
            return None
        # The decoder shrinks while it decodes, to no less than twice the size that is wanted.
        picture.draft("L", (2 * RECORD_IMAGE_SIZE, 2 * RECORD_IMAGE_SIZE))
    if not is_upright:
        picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I") or picture.mode == "F":
        return Image.fromarray(stretched(np.asarray(picture, np.float32)))
    if _is_deep_colour_png(content) and int(np.asarray(picture.convert("RGB")).max()) < _LEAST_COLOUR:
        raise DataError("it is a colour picture of 16 bits that uses few of them. Save it as grey")
    if picture.mode in ("P", "LA", "RGBA", "PA") or "transparency" in picture.info:
        clear = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", clear.size, (0, 0, 0, 255)), clear)
    return picture.convert("L")


def _is_deep_colour_png(content: bytes) -> bool:
    """Say whether a PNG has 16 bits a colour, of which Pillow keeps the upper 8: its header says depth and kind."""
    return content.startswith(b"\x89PNG") and content[24:25] == b"\x10" and content[25:26] in (b"\x02", b"\x06")


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
