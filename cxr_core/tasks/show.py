"""What does an image look like? The picture of a path, out of the source's TFRecords."""

from dataclasses import asdict, dataclass
from pathlib import Path

from cxr_core.atomic import replacing
from cxr_core.errors import ExistsError, UsageError, brief
from cxr_core.locations import is_remote
from cxr_core.records.picture import picture_of
from cxr_core.tasks.allowed_places import check_output
from cxr_core.tasks.image_record import image_record
from cxr_core.tasks.named_model import absolute

_ENDING = ".png"


@dataclass(frozen=True)
class Shown:
    """What was written: the picture of which path, into which file."""

    path: str
    file: str

    def as_json(self) -> dict[str, str]:
        """Return what `show --json` prints."""
        return asdict(self)


def show(source_name: str, path: str, to: str, replace: bool = False, confined: bool = True) -> Shown:
    """Write the picture of a path as PNG, with the grey values of the TFRecord.

    The record is read by its offset; an index that is missing is made first.

    Args:
        source_name: the source.
        path: of an image, as the tables have it.
        to: the file, whose name ends in `.png`.
        replace: whether a file that exists is overwritten.
        confined: whether the file must lie where pages may write; the command line is not confined.

    Raises:
        UnknownNameError: there is no such source.
        UsageError: the file is not of this machine or no `.png`, the source has no records, or none has the path.
        ExistsError: the file exists.
        RecordError: the record of the path is damaged, or a file is and the path is in no other.
        StorageError: Cloud Storage refuses, or cannot be reached.
    """
    file = _checked_file(to, replace, confined)
    picture = picture_of(image_record(source_name, path))
    with replacing(file) as temporary:
        picture.save(temporary, "PNG")
    return Shown(path, str(file))


def _checked_file(to: str, replace: bool, confined: bool) -> Path:
    if not to.lower().endswith(_ENDING) or is_remote(to):
        raise UsageError(f"The picture goes to a file of this machine that ends in {_ENDING}. Received: {brief(to)}.")
    file = Path(absolute(to))
    if confined:
        check_output("picture", str(file))
    if file.is_dir():
        raise UsageError(f"{file} is a folder. Name a file to write to.")
    if file.exists() and not replace:
        raise ExistsError(f"There is a file {file} already. Use --replace to overwrite it, or name another.")
    return file
