"""What the picture of a record looks like, whole and as a thumbnail."""

import io

from PIL import Image, UnidentifiedImageError

from cxr_core.errors import RecordError
from cxr_core.records.index import FoundRecord

_THUMBNAIL_QUALITY = 80


def picture_of(found: FoundRecord) -> Image.Image:
    """Return the decoded picture of a record.

    Raises:
        RecordError: it is no JPEG, or damaged.
    """
    return _decoded(found.jpg, found.where)


def thumbnail(found: FoundRecord, pixels: int) -> bytes:
    """Return the picture of a record as a JPEG of at most `pixels` x `pixels`; raises as `picture_of`."""
    small = _decoded(found.jpg, found.where, pixels)
    small.thumbnail((pixels, pixels))
    content = io.BytesIO()
    small.save(content, "JPEG", quality=_THUMBNAIL_QUALITY)
    return content.getvalue()


def _decoded(jpg: bytes, where: str, pixels: int | None = None) -> Image.Image:
    try:
        with Image.open(io.BytesIO(jpg), formats=["JPEG"]) as image:
            if pixels:
                image.draft("L", (pixels, pixels))
            image.load()
            return image.convert("L")
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise RecordError(f"{where} holds no readable JPEG. Make the file anew.") from error
