"""The one truth about labels, their values, views, data sets, and the columns of tables and records.

The order and the codes are those of the MIMIC-CXR derived tables of 2019; other tools read and write
them, so nothing here changes without a new major version.
"""

import re
from enum import IntEnum

from cxr_core.errors import UnknownNameError, UsageError, brief


class Value(IntEnum):
    """What the report says of a finding."""

    not_mentioned = 0
    negative = 1
    uncertain = 2
    positive = 3


class View(IntEnum):
    """From where the image was taken."""

    frontal = 0
    lateral = 1
    other = 2


class Dataset(IntEnum):
    """The split that an image belongs to; splits are made by patient."""

    train = 0
    valid = 1
    test = 2


class Verdict(IntEnum):
    """What a person who read the image says of a finding; who did not read it says nothing (NULL)."""

    absent = 1
    unsure = 2
    present = 3


LABELS: tuple[str, ...] = (
    "no_finding",
    "enlarged_cardiomediastinum",
    "cardiomegaly",
    "airspace_opacity",
    "lung_lesion",
    "edema",
    "consolidation",
    "pneumonia",
    "atelectasis",
    "pneumothorax",
    "pleural_effusion",
    "pleural_other",
    "fracture",
    "support_devices",
)

#: Stands where an image has no value of a label, because its data set does not know the label: no value, weight 0.
ABSENT = -1

VALUES: tuple[str, ...] = tuple(v.name for v in Value)
VIEWS: tuple[str, ...] = tuple(v.name for v in View)
DATASETS: tuple[str, ...] = tuple(d.name for d in Dataset)

#: Views for which there are TFRecords and models.
TRAINING_VIEWS: tuple[str, ...] = ("frontal", "lateral")

KEY_COLUMNS: tuple[str, ...] = ("path", "patient", "study", "image", "view", "dataset")
INTEGER_KEYS: tuple[str, ...] = KEY_COLUMNS[1:]

#: Parquet metadata key (and BigQuery table label, with `_`) that says what prediction values are.
SCALE_KEY = "cxr.scale"
SCALES: tuple[str, ...] = ("logit", "probability", "score")
DEFAULT_SCALE = "logit"

#: Pixels along each side of the stored images, which have one channel.
RECORD_IMAGE_SIZE = 320
JPEG_FEATURE = "jpg_bytes"
PATH_FEATURE = "path"
#: 1 in a record whose picture had its histogram made flat; not there in others.
EQUALISED_FEATURE = "equalised"

PREDICTIONS_SUFFIX = "_predictions"
READINGS_SUFFIX = "_readings"
#: The column of a readings table that names who read.
READER_COLUMN = "reader"
#: The column that names the labels of which a reading gives no share: the image was picked by what is said of it, or
#: that was in sight. It may be missing.
SET_ASIDE_COLUMN = "set_aside"
#: The judges that are no sets of readings: the report's labels, and what was really there where that is known.
REPORT, TRUTH = "report", "truth"

NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def check_name(what: str, name: str) -> str:
    """Return `name` when it is a legal model or source name.

    Raises:
        UsageError: `name` does not match `[A-Za-z0-9][A-Za-z0-9._-]{0,127}`.
    """
    if not NAME_PATTERN.fullmatch(name):
        raise UsageError(
            f"A {what} name must be 1 to 128 letters, digits, '.', '_' or '-', starting with a letter or digit. "
            f"Received: {brief(name)}."
        )
    return name


def check_set_name(name: str) -> str:
    """Return `name` when it is a legal name of a set of readings: a legal name that is no other judge's.

    Raises:
        UsageError: the name is reserved, or no legal name.
    """
    if name in (REPORT, TRUTH):
        raise UsageError(f"{REPORT} and {TRUTH} are judges of their own. Give the set of readings another name.")
    return check_name("set", name)


def check_label(name: str) -> str:
    """Return `name` when it is one of the 14 labels, else raise `UnknownNameError`."""
    if name not in LABELS:
        raise UnknownNameError("label", name, LABELS)
    return name


def view_code(name: str) -> int:
    """Return the code of a view, else raise `UnknownNameError`."""
    if name not in VIEWS:
        raise UnknownNameError("view", name, VIEWS)
    return View[name].value


def dataset_code(name: str) -> int:
    """Return the code of a data set, else raise `UnknownNameError`."""
    if name not in DATASETS:
        raise UnknownNameError("dataset", name, DATASETS)
    return Dataset[name].value


def label_words(name: str) -> str:
    """Return a label, value or view as words: `pleural_effusion` -> `Pleural effusion`."""
    return name.replace("_", " ").capitalize()


def image_path(dataset: str, patient: int, study: int, image: int, view: str) -> str:
    """Return the path that names an image, as in `train/p10000032/s01/view1_frontal.jpg`."""
    return f"{dataset}/p{patient}/s{study:02d}/view{image}_{view}.jpg"


def study_path(dataset: str, patient: int, study: int) -> str:
    """Return the path that names a study row, as in `train/p10000032/s01`."""
    return f"{dataset}/p{patient}/s{study:02d}"
