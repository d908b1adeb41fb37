"""A DICOM file -> a grey picture: padding left out, placeholder windows ignored, colour tables and all depths read.

Compressed pictures (JPEG Lossless, JPEG-LS, JPEG 2000, RLE) are decoded by pydicom with the decoders of pylibjpeg.
"""

import io
from typing import Any

import numpy as np
from PIL import Image

from cxr_core.arrays import BoolArray
from cxr_core.errors import DataError
from cxr_core.sources.importing.grey_range import Pixels, stretched

MARK = b"DICM"
_MARK_AT = 128
#: The first group of a file without a preamble: its own description, or the patient's and study's.
_FIRST_GROUPS = (b"\x02\x00", b"\x08\x00")
#: A window that leaves fewer of the pixels between its ends shows nothing.
_LEAST_INSIDE = 0.05
#: The weights of red, green and blue in a grey value (ITU-R BT.601), as Pillow has them.
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)


def is_dicom(content: bytes) -> bool:
    """Say whether a file is DICOM, also one without the preamble that the standard asks for."""
    if content[_MARK_AT : _MARK_AT + len(MARK)] == MARK:
        return True
    # A group, an element of it that is in use, and either a type of value or a length that is short.
    return (
        content[:2] in _FIRST_GROUPS and content[3:4] == b"\0" and (content[4:6].isalpha() or content[6:8] == b"\0\0")
    )


def dicom_picture(content: bytes, most_pixels: int) -> Image.Image:
    """Return the picture of a DICOM file, in grey.

    Raises:
        DataError: there is no picture in it, or several, or too large a one.
    """
    import pydicom
    from pydicom.uid import UID

    dataset = pydicom.dcmread(io.BytesIO(content), force=True)
    if "PixelData" not in dataset or "Rows" not in dataset:
        kind = UID(str(dataset.get("SOPClassUID", ""))).name or "no stated kind"
        raise DataError(f"there is no picture in it: it is a DICOM file of {kind[:60]}")
    width, height = int(dataset.Columns), int(dataset.Rows)
    if not 0 < width * height <= most_pixels:
        raise DataError(f"it must have 1 to {most_pixels:,} pixels, it has {width:,} x {height:,}")
    if int(dataset.get("NumberOfFrames", 1) or 1) != 1:
        raise DataError("it is a DICOM file of several frames")
    _state_syntax(dataset)
    pixels: Any = _stored_values(dataset)
    photometric = str(dataset.get("PhotometricInterpretation", "MONOCHROME2"))
    if pixels.ndim == 3 or photometric == "PALETTE COLOR":
        return _of_colours(pixels, dataset, photometric)
    real = _real(pixels, dataset)
    grey = stretched(_shown(pixels, dataset, real), real)
    if photometric == "MONOCHROME1":
        grey = 255 - grey if real is None else np.where(real, 255 - grey, 0).astype(np.uint8)
    return Image.fromarray(grey)


def _stored_values(dataset: Any) -> Any:
    """Return the pixels, also those that need more bits than the file says: cut off, the brightest would be dark.

    Files of before 2004 keep drawings in the unused bits, and then declare them as an overlay (DICOM PS3.5, 8.1.2).
    """
    bits = int(dataset.get("BitsStored", 0) or 0)
    drawings = any(0x6000 <= element.tag.group <= 0x60FF for element in dataset)
    if dataset.get("PixelRepresentation", 0) or drawings or not 0 < bits < int(dataset.get("BitsAllocated", 0) or 0):
        return dataset.pixel_array
    dataset.pixel_array_options(correct_unused_bits=False)
    return dataset.pixel_array


def _state_syntax(dataset: Any) -> None:
    """Say how the values are written where the file does not: without a description it is as it was read."""
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    if getattr(dataset.file_meta, "TransferSyntaxUID", None) is not None:
        return
    is_implicit, is_little = dataset.original_encoding
    plain = ExplicitVRLittleEndian if is_little is not False else ExplicitVRBigEndian
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if is_implicit else plain


def _of_colours(pixels: Any, dataset: Any, photometric: str) -> Image.Image:
    from pydicom.pixels.processing import apply_color_lut

    if photometric == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, dataset)
    grey = np.asarray(pixels, np.float32)[..., :3] @ _LUMINANCE
    if pixels.dtype.itemsize == 1:
        return Image.fromarray(np.round(grey).astype(np.uint8))
    return Image.fromarray(stretched(grey))


def _real(pixels: Any, dataset: Any) -> BoolArray | None:
    """Return which pixels are no padding, None where there is none."""
    first = dataset.get("PixelPaddingValue")
    if first is None:
        return None
    last = dataset.get("PixelPaddingRangeLimit", first)
    low, high = sorted((_stored(first, pixels), _stored(last, pixels)))
    padding: BoolArray = (pixels >= low) & (pixels <= high)
    # A value that is everywhere is no padding, whatever the file says.
    return None if not padding.any() or padding.all() else ~padding


def _stored(value: Any, pixels: Any) -> int:
    """Return a padding value as the pixels store it: some files state signed ones as unsigned."""
    number = int.from_bytes(value, "little") if isinstance(value, bytes) else int(value)
    bits = 8 * pixels.dtype.itemsize
    return number - (1 << bits) if pixels.dtype.kind == "i" and number >= 1 << (bits - 1) else number


def _shown(pixels: Any, dataset: Any, real: BoolArray | None) -> Pixels:
    """Return the pixels through the file's tables and its window, unless that is a placeholder."""
    from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

    values = np.asarray(apply_modality_lut(pixels, dataset))
    plain = values.astype(np.float32)
    has_table = bool(dataset.get("VOILUTSequence"))
    if not has_table and not _has_window(dataset):
        return plain
    windowed = np.asarray(apply_voi_lut(values, dataset), np.float32)
    counted = windowed if real is None else windowed[real]
    inside = (counted > counted.min()) & (counted < counted.max())
    return windowed if has_table or inside.mean() >= _LEAST_INSIDE else plain


def _has_window(dataset: Any) -> bool:
    width = dataset.get("WindowWidth")
    try:
        first = float(width[0] if isinstance(width, list) or hasattr(width, "append") else width)
    except (TypeError, ValueError, IndexError):
        return False
    return first > 1 and dataset.get("WindowCenter") not in (None, "")
