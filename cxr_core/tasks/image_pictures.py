"""What an image of a source looks like, as somebody who waits is shown it: large, or as a thumbnail."""

from collections.abc import Sequence

from PIL import Image

from cxr_core.records import picture
from cxr_core.tasks.image_record import image_record


def film_picture(source_name: str, path: str, former: Sequence[str] = ()) -> Image.Image:
    """Return the decoded picture of an image; raises as `image_record`, and `RecordError` for a damaged picture."""
    return picture.picture_of(image_record(source_name, path, former, at_once=True))


def thumbnail(source_name: str, path: str, pixels: int) -> bytes:
    """Return the picture of an image as a JPEG of at most `pixels` x `pixels`; raises as `film_picture`."""
    return picture.thumbnail(image_record(source_name, path, at_once=True), pixels)
