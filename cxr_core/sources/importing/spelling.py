"""How other people's files spell the columns: which one is which label, and which key or property of an image."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from cxr_core.errors import TableError, UsageError
from cxr_core.schema import LABELS

#: What else a label is called, in lower case with `_` for everything that is no letter.
_LABEL_SYNONYMS: dict[str, str] = {
    "lung_opacity": "airspace_opacity",
    "opacity": "airspace_opacity",
    "enlarged_cardiom": "enlarged_cardiomediastinum",
    "enlarged_cardio": "enlarged_cardiomediastinum",
    "enlarged_mediastinum": "enlarged_cardiomediastinum",
    "normal": "no_finding",
    "lesion": "lung_lesion",
    "oedema": "edema",
    "pulmonary_edema": "edema",
    "effusion": "pleural_effusion",
    "pneumothoraces": "pneumothorax",
    "fractures": "fracture",
    "support_device": "support_devices",
    "devices": "support_devices",
}

#: What a column can tell beside the labels -> how it may be called.
ROLES: dict[str, tuple[str, ...]] = {
    "path": ("path", "image_path", "filename", "file", "image_name", "img_path"),
    "dicom": ("dicom_id", "dicom", "image_id", "sop_instance_uid", "sopinstanceuid"),
    "patient": ("patient", "patient_id", "subject_id", "subject", "patientid"),
    "study": ("study", "study_id", "studyid", "accession", "accession_number"),
    "image": ("image",),
    "view": ("view", "frontal_lateral", "viewposition", "view_position", "projection"),
    "dataset": ("dataset", "split", "fold", "subset"),
    "sex": ("sex", "gender", "patientsex", "patient_sex"),
    "age": ("age", "patientage", "patient_age"),
    "position": ("ap_pa", "position"),
}


@dataclass(frozen=True)
class ColumnMapping:
    """Which column of a file is which: `roles` and `labels` map our name to the file's."""

    roles: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)


def normalised(name: str) -> str:
    """Return a column's name in lower case, with one `_` for everything that is neither letter nor digit."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def label_of(name: str) -> str | None:
    """Return the label that a column's name spells, None when it spells none."""
    plain = normalised(name)
    return plain if plain in LABELS else _LABEL_SYNONYMS.get(plain)


def guess_mapping(names: Iterable[str], file: str) -> ColumnMapping:
    """Return which columns tell what, by their names.

    Raises:
        TableError: two columns spell the same label or key.
    """
    mapping = ColumnMapping()
    for name in names:
        label, role = label_of(name), _role_of(name)
        for found, kind in ((label, mapping.labels), (role, mapping.roles)):
            if found is None:
                continue
            if found in kind:
                raise TableError(f"{file} has {found} twice, as {kind[found]!r} and as {name!r}. Remove one of them.")
            kind[found] = name
    return mapping


def corrected(mapping: ColumnMapping, chosen: dict[str, str], names: Iterable[str]) -> ColumnMapping:
    """Return a mapping in which `chosen` (our name -> the file's, `""` for none) stands in place of the guess.

    Raises:
        UsageError: a name is not ours, or the file has no such column.
    """
    there = set(names)
    roles, labels = dict(mapping.roles), dict(mapping.labels)
    for ours, theirs in chosen.items():
        if ours not in ROLES and ours not in LABELS:
            raise UsageError(f"A column can be mapped to {', '.join(ROLES)} or a label. Received: {ours!r}.")
        if theirs and theirs not in there:
            raise UsageError(f"The file has no column {theirs!r} to map to {ours}. It has: {', '.join(sorted(there))}.")
        kind = labels if ours in LABELS else roles
        kind.pop(ours, None)
        if theirs:
            kind[ours] = theirs
    return ColumnMapping(roles, labels)


def _role_of(name: str) -> str | None:
    plain = normalised(name)
    return next((role for role, spellings in ROLES.items() if plain in spellings), None)
