"""What an image of a source looks like, as somebody who waits is shown it: large, or as a thumbnail."""

from collections.abc import Sequence

from PIL import Image

from cxr_core.records import picture
from cxr_core.schema import image_path
from cxr_core.tasks.image_record import image_record
from cxr_core.tasks.images import ListedImage


def film_picture(source_name: str, path: str, former: Sequence[str] = ()) -> Image.Image:
    """Return the decoded picture of an image; raises as `image_record`, and `RecordError` for a damaged picture."""
    return picture.picture_of(image_record(source_name, path, former, at_once=True))


def listed_film(source_name: str, image: ListedImage) -> Image.Image:
    """Return the decoded picture of a listed image, that of its keys where the records know it by no other name."""
    keys = (image.dataset, image.patient, image.study, image.image)
    return film_picture(source_name, image.path, () if image.view is None else (image_path(*keys, image.view),))


def thumbnail(source_name: str, path: str, pixels: int) -> bytes:
    """Return the picture of an image as a JPEG of at most `pixels` x `pixels`; raises as `film_picture`."""
    return picture.thumbnail(image_record(source_name, path, at_once=True), pixels)
