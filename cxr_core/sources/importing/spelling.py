"""How other people's files spell the columns: which one is which label, and which key or property of an image."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from cxr_core.errors import Choice, UndecidedError, UsageError
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
    "path": (
        "path", "image_path", "imagepath", "filename", "file_name", "filepath", "file_path", "file", "image_name",
        "img_path", "img_name", "image_index", "image_file", "image_filename", "path_to_image", "relative_path",
    ),
    "dicom": ("dicom_id", "dicom", "image_id", "imageid", "sop_instance_uid", "sopinstanceuid"),
    "patient": ("patient", "patient_id", "subject_id", "subject", "patientid", "deid_patient_id"),
    "study": ("study", "study_id", "studyid", "accession", "accession_number", "accessionnumber",
              "study_instance_uid", "studyinstanceuid"),
    "image": ("image",),
    "view": ("view", "frontal_lateral", "viewposition", "view_position", "projection"),
    "dataset": ("dataset", "split", "fold", "subset", "partition"),
    "sex": ("sex", "gender", "patientsex", "patient_sex", "patient_gender", "patientsex_dicom"),
    "age": ("age", "patientage", "patient_age"),
    "position": ("ap_pa", "position"),
    "procedure": ("performedprocedurestepdescription", "procedure"),
    "reader": ("reader", "rad_id", "reader_id", "radiologist", "radiologist_id", "annotator", "rater"),
    "findings": ("finding_labels", "labels"),
    "finding": ("finding", "class_name"),
    "value": ("value",),
    "mask": ("encodedpixels", "encoded_pixels"),
}  # fmt: skip


@dataclass(frozen=True)
class ColumnMapping:
    """Which column of a file is which: `roles` and `labels` map our name to the file's."""

    roles: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)

    def used(self) -> set[str]:
        """Return the file's columns that are taken for something."""
        return {*self.roles.values(), *self.labels.values()}


def normalised(name: str) -> str:
    """Return a column's name in lower case, with one `_` for everything that is neither letter nor digit."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def label_of(name: str) -> str | None:
    """Return the label that a column's name spells, None when it spells none."""
    plain = normalised(name)
    return plain if plain in LABELS else _LABEL_SYNONYMS.get(plain)


def guess_mapping(
    names: Iterable[str], file: str, chosen: dict[str, str] | None = None, findings: dict[str, str] | None = None
) -> ColumnMapping:
    """Return which columns tell what, by their names.

    Args:
        names: the columns of the file.
        file: its name, for messages.
        chosen: our name -> the file's, `""` for none: stands in place of the guess.
        findings: the file's name of a finding -> our label, `""` for none: stands in place of the guess, too.

    Raises:
        UndecidedError: two columns spell the same label or key, and none of them is chosen.
        UsageError: a chosen name is not ours, or the file has no such column.
    """
    there, given = list(names), dict(chosen or {})
    _check_chosen(given, there)
    taken = {theirs for theirs in given.values() if theirs}
    mapping = ColumnMapping()
    for ours, theirs in given.items():
        if theirs:
            (mapping.labels if ours in LABELS else mapping.roles)[ours] = theirs
    for ours, spelled in _candidates(there, findings or {}).items():
        free = [name for name in spelled if name not in taken]
        if ours in given or not free:
            continue
        if len(free) > 1:
            raise _two_columns(file, ours, free)
        (mapping.labels if ours in LABELS else mapping.roles)[ours] = free[0]
    return mapping


def first_guess(names: Iterable[str], chosen: dict[str, str] | None = None) -> ColumnMapping:
    """Return the guess of `guess_mapping`, the first of several columns where they spell the same."""
    there, given = list(names), dict(chosen or {})
    for ours, spelled in _candidates(there, {}).items():
        free = [name for name in spelled if name not in given.values()]
        if len(free) > 1 and ours not in given:
            given[ours] = free[0]
    return guess_mapping(there, "", given)


def _candidates(names: Iterable[str], findings: dict[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        ours = findings[name] if name in findings else label_of(name) or _role_of(name)
        if ours:
            found.setdefault(ours, []).append(name)
    return found


def _check_chosen(chosen: dict[str, str], names: list[str]) -> None:
    for ours, theirs in chosen.items():
        if ours not in ROLES and ours not in LABELS:
            raise UsageError(f"A column can be mapped to {', '.join(ROLES)} or a label. Received: {ours!r}.")
        if theirs and theirs not in names:
            raise UsageError(
                f"The file has no column {theirs!r} to map to {ours}. It has: {', '.join(sorted(names))[:300]}."
            )


def _two_columns(file: str, ours: str, theirs: list[str]) -> UndecidedError:
    choices = [Choice(f"the column {name!r}", f"--column {ours}={name}", {f"columns.{ours}": name}) for name in theirs]
    either = " and ".join(repr(name) for name in theirs)
    return UndecidedError(f"column {ours}", f"{file} has {ours} twice, as {either}.", choices)


def _role_of(name: str) -> str | None:
    plain = normalised(name)
    return next((role for role, spellings in ROLES.items() if plain in spellings), None)
