"""What does an image look like? The picture of a path, out of the source's TFRecords, and where a model looks in it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxr_core.atomic import replacing
from cxr_core.errors import ExistsError, UsageError, brief
from cxr_core.locations import is_remote
from cxr_core.models.activation_maps import LabelMap
from cxr_core.models.overlay import overlaid
from cxr_core.records.picture import picture_of
from cxr_core.tasks.allowed_places import check_output
from cxr_core.tasks.image_record import image_record
from cxr_core.tasks.named_model import absolute
from cxr_core.tasks.saliency import checked_weights, looked_at

_ENDING = ".png"


@dataclass(frozen=True)
class Shown:
    """What was written: the picture of which path, into which file, and the map over it, if any."""

    path: str
    file: str
    looked: LabelMap | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what `show --to --json` prints; of a map, what the one strongest place adds to the logit."""
        document: dict[str, Any] = {"path": self.path, "file": self.file}
        if self.looked is None:
            return document
        rows, columns = self.looked.map.shape
        told = {"rows": rows, "columns": columns, "share": float(self.looked.share), "logit": float(self.looked.logit)}
        return document | {"map": told}


@dataclass(frozen=True)
class MapWish:
    """Whose map lies over the picture: a model's, for a label, with its weights or with random ones."""

    model: str
    label: str
    random: bool = False


def show(
    source_name: str,
    path: str,
    to: str,
    replace: bool = False,
    confined: bool = True,
    wish: MapWish | None = None,
) -> Shown:
    """Write the picture of a path as PNG, with the grey values of the TFRecord, or in colour with a map over it.

    The record is read by its offset; an index that is missing is made first.

    Args:
        source_name: the source.
        path: of an image, as the tables have it.
        to: the file, whose name ends in `.png`.
        replace: whether a file that exists is overwritten.
        confined: whether the file must lie where pages may write; the command line is not confined.
        wish: the map that lies over it, if any.

    Raises:
        UnknownNameError: there is no such source, model or label.
        UsageError: the file is not of this machine or no `.png`, the source has no records, or none has the path; the
            model has no weights, or never learned the label.
        ModelFileError: the model's file is missing, damaged, or holds another network.
        RunError: the process that computes the map crashed.
        ExistsError: the file exists.
        RecordError: the record of the path is damaged, or a file is and the path is in no other.
        StorageError: Cloud Storage refuses, or cannot be reached.
    """
    file = _checked_file(to, replace, confined)
    if wish:
        checked_weights(source_name, wish.model, wish.label)
    found = image_record(source_name, path)
    picture = picture_of(found)
    looked = looked_at(source_name, wish.model, wish.label, found.jpg, wish.random) if wish else None
    if looked is not None:
        picture = overlaid(picture, looked)
    with replacing(file) as temporary:
        picture.save(temporary, "PNG")
    return Shown(path, str(file), looked)


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
