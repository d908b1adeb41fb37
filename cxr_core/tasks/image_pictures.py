"""What an image of a source looks like, as somebody who waits is shown it: large, or as a thumbnail."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from cxr_core.records import picture
from cxr_core.tasks.image_record import image_record
from cxr_core.tasks.images import ListedImage


@dataclass(frozen=True, eq=False)
class Film:
    """An image of a source: its decoded grey `picture`, and the bytes that its record holds."""

    picture: Image.Image
    jpg: bytes


def film_of(source_name: str, path: str, former: Sequence[str] = ()) -> Film:
    """Return an image of a source; raises as `image_record`, and `RecordError` for a damaged picture."""
    found = image_record(source_name, path, former, at_once=True)
    return Film(picture.picture_of(found), found.jpg)


def film_picture(source_name: str, path: str, former: Sequence[str] = ()) -> Image.Image:
    """Return the decoded picture of an image; raises as `film_of`."""
    return film_of(source_name, path, former).picture


def listed_film(source_name: str, image: ListedImage) -> Image.Image:
    """Return the decoded picture of a listed image, that of its keys where the records know it by no other name."""
    return film_picture(source_name, image.path, image.names_in_records)


def thumbnail(source_name: str, path: str, pixels: int, former: Sequence[str] = ()) -> bytes:
    """Return the picture of an image as a JPEG of at most `pixels` x `pixels`; raises as `film_picture`."""
    return picture.thumbnail(image_record(source_name, path, former, at_once=True), pixels)
