"""The public layouts that are built in: how each is known by its columns, and what its columns and words mean.

A finding outside the fourteen is mapped only where it means exactly the same; docs/public-layouts.md has the table with
its sources. What is not mapped becomes an extra column.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from cxr_core.sources.importing.spelling import normalised


@dataclass(frozen=True)
class Layout:
    """One layout.

    `known_by` are columns (normalised) that a file of it has, all of one of the sets. `columns` says what its columns
    are, ours -> theirs (normalised). `view` is the view of every image where no column says it. `findings` maps words
    (normalised) to our labels, `""` to none. `rows` is how several rows of an image become one, None where only the
    user can say. `separator` stands between the findings of a cell.
    """

    name: str
    words: str
    known_by: tuple[frozenset[str], ...] = ()
    columns: dict[str, str] = field(default_factory=dict)
    view: str | None = None
    findings: dict[str, str] = field(default_factory=dict)
    rows: str | None = None
    separator: str = "|"
    patient_in_name: str | None = None


def _known(*columns: str) -> frozenset[str]:
    return frozenset(columns)


#: An NIH image is called after its patient: 00000013_005.png is the sixth image of patient 13.
_NIH_PATIENT = r"(?:^|/)0*(?P<patient>\d+)_\d+\.\w+$"

_BUILT_IN: tuple[Layout, ...] = (
    Layout("notebook", "2019 notebook"),
    Layout("chexpert", "CheXpert"),
    Layout("mimic-cxr-jpg", "MIMIC-CXR-JPG"),
    Layout(
        "chexpert-plus",
        "CheXpert-Plus",
        known_by=(_known("path_to_image"),),
        columns={"path": "path_to_image", "patient": "deid_patient_id"},
    ),
    Layout(
        "nih",
        "NIH ChestX-ray14",
        known_by=(_known("image_index", "finding_labels"),),
        columns={"path": "image_index", "findings": "finding_labels", "patient": "patient_id"},
        patient_in_name=_NIH_PATIENT,
    ),
    Layout(
        "nih-google",
        "Google's labels for NIH ChestX-ray14",
        known_by=(_known("image_index", "nodule_or_mass"), _known("image_id", "nodule_or_mass")),
        columns={"reader": "reader_id"},
        view="frontal",
        patient_in_name=_NIH_PATIENT,
    ),
    Layout(
        "padchest",
        "PadChest",
        known_by=(_known("imageid", "projection", "methodlabel"), _known("imageid", "projection", "labels")),
        columns={
            "path": "imageid",
            "view": "projection",
            "patient": "patientid",
            "study": "studyid",
            "findings": "labels",
            "sex": "patientsex_dicom",
        },
        separator=",",
    ),
    Layout(
        "vindr",
        "VinDr-CXR",
        known_by=(
            _known("image_id", "aortic_enlargement"),
            _known("image_id", "class_name", "rad_id"),
            _known("image_id", "rad_id"),
        ),
        columns={"dicom": "image_id", "reader": "rad_id", "finding": "class_name"},
        view="frontal",
    ),
    Layout(
        "rsna",
        "RSNA Pneumonia Detection Challenge",
        known_by=(_known("patientid", "target"), _known("patientid", "class")),
        columns={"dicom": "patientid", "airspace_opacity": "target", "finding": "class"},
        view="frontal",
        findings={"no_lung_opacity_not_normal": ""},
        rows="max",
    ),
    Layout(
        "siim",
        "SIIM-ACR Pneumothorax",
        known_by=(_known("imageid", "encodedpixels"),),
        columns={"dicom": "imageid", "mask": "encodedpixels"},
        view="frontal",
        rows="max",
    ),
    Layout(
        "brax",
        "BRAX",
        known_by=(_known("dicompath", "pngpath"),),
        columns={"path": "pngpath", "patient": "patientid", "study": "accessionnumber"},
    ),
    Layout(
        "indiana",
        "Indiana University (Open-i)",
        known_by=(_known("uid", "filename", "projection"), _known("uid", "problems")),
        columns={"path": "filename", "patient": "uid", "study": "uid", "view": "projection", "findings": "problems"},
        findings={"fractures_bone": "fracture", "pulmonary_atelectasis": "atelectasis"},
        separator=";",
    ),
)

LAYOUTS: tuple[str, ...] = ("auto", *(layout.name for layout in _BUILT_IN))
#: Layouts -> how people call them.
LAYOUT_WORDS: dict[str, str] = {"auto": "Guess", **{layout.name: layout.words for layout in _BUILT_IN}}
_BY_NAME = {layout.name: layout for layout in _BUILT_IN}


def named_layout(name: str) -> Layout:
    """Return a built-in layout."""
    return _BY_NAME[name]


def known_layout(columns: Iterable[str]) -> Layout | None:
    """Return the layout that the columns of a file show, None where they show none of those known by columns."""
    names = {normalised(name) for name in columns}
    return next((layout for layout in _BUILT_IN if any(known <= names for known in layout.known_by)), None)


def columns_of(layout: Layout, columns: Iterable[str]) -> dict[str, str]:
    """Return what the columns of a file are in a layout, ours -> theirs as the file spells them."""
    by_name = {normalised(name): name for name in columns}
    return {ours: by_name[theirs] for ours, theirs in layout.columns.items() if theirs in by_name}
