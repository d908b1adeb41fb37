"""The layout of MIMIC-CXR-JPG 2.x: labels by study, images with their views, and the split, each in a file.

Version 2.1 brings a fourth: studies that radiologists labelled by hand. They are readings, beside the report's labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from cxr_core.errors import TableError, UsageError
from cxr_core.schema import LABELS, Value, dataset_code, view_code
from cxr_core.sources.importing import cells
from cxr_core.sources.importing.cells import BadCells
from cxr_core.sources.importing.choices import ImportChoices, LabelRows
from cxr_core.sources.importing.matching import as_names
from cxr_core.sources.importing.one_file import properties
from cxr_core.sources.importing.row_keys import identifiers, mimic_paths
from cxr_core.sources.importing.spelling import ColumnMapping
from cxr_core.sources.importing.text_table import TextTable
from cxr_core.words import counted

_STUDY = ["patient", "study"]
#: Who read the studies of a file that names no reader.
_READER = "radiologist"
_NEEDED = "subject_id and study_id"


@dataclass(frozen=True, eq=False)
class _File:
    """One of the files, with its keys read."""

    bad: BadCells
    mapping: ColumnMapping
    frame: pd.DataFrame
    notes: list[str]

    def kept(self) -> pd.DataFrame:
        """Return the rows without a bad cell."""
        return self.frame[~self.bad.rows]


def mimic_rows(tables: Sequence[TextTable], mappings: Sequence[ColumnMapping], choices: ImportChoices) -> LabelRows:
    """Return the rows of the files: labels joined from the study to its images; raises as `label_rows`.

    Without a file that lists images, the rows stand for whole studies.
    """
    files = _sorted_files(tables, mappings)
    labels = files["labels"]
    # A split file lists every image, so it can stand for the metadata where the user says the view.
    images, split = files.get("images") or files.get("split"), files.get("split")
    if split is None and images is not None and "dataset" in images.mapping.roles:
        split = images
    labels_frame = _labels(labels, choices)
    readings = _readings(files["readings"], choices) if "readings" in files else None
    if images is None:
        frame = _study_rows(labels_frame, choices, labels.bad.table.name)
        _refuse(choices, *files.values())
        kept = frame[~labels.bad.rows].reset_index(drop=True)
        read, refused = labels.bad.table.rows, int(labels.bad.rows.sum())
        return LabelRows(kept, "mimic-cxr-jpg", read, refused, 0, _notes(files), readings)
    image_frame = _with_views(images, choices)
    if split is not None and choices.dataset is None:
        image_frame = _with_split(image_frame, split, images)
    elif choices.dataset is None:
        raise UsageError("The split file is missing (`…-split.csv.gz`). Add it, or say --dataset for all images.")
    else:
        image_frame = image_frame.assign(dataset=dataset_code(choices.dataset))
    _refuse(choices, *files.values())
    return _joined(image_frame[~images.bad.rows], labels_frame[~labels.bad.rows], files, readings)


def _sorted_files(tables: Sequence[TextTable], mappings: Sequence[ColumnMapping]) -> dict[str, _File]:
    """Return the files of labels, of images with views, of the split, and of readings, those that are there."""
    found: dict[str, _File] = {}
    for table, mapping in zip(tables, mappings, strict=True):
        kind = _kind(table, mapping)
        if kind in found:
            raise TableError(f"{found[kind].bad.table.name} and {table.name} are both a file of {kind}. Give one.")
        found[kind] = _keyed(table, mapping)
    if "labels" not in found:
        raise TableError("None of the files has labels by study (`…-chexpert.csv.gz` or `…-negbio.csv.gz`). Add it.")
    return found


def _kind(table: TextTable, mapping: ColumnMapping) -> str:
    needed = [role for role in ("patient", "study") if role not in mapping.roles]
    if needed == ["patient"] and mapping.labels:
        return "readings"
    if needed:
        raise TableError(f"{table.name} must have the columns {_NEEDED}. It lacks the {needed[0]}'s.")
    if mapping.labels:
        if "dicom" in mapping.roles:
            raise TableError(
                f"{table.name} has images and labels in one file: import it alone, without the files it was made of."
            )
        return "labels"
    if "dicom" not in mapping.roles:
        raise TableError(f"{table.name} has neither labels nor a column dicom_id, so it is no MIMIC-CXR-JPG file.")
    return "split" if "dataset" in mapping.roles and "view" not in mapping.roles else "images"


def _keyed(table: TextTable, mapping: ColumnMapping) -> _File:
    bad, notes = BadCells(table), list[str]()
    keys = {
        name: pd.Series(pd.array(identifiers(bad, mapping.roles[name], notes), dtype="str"))
        for name in ("patient", "study", "dicom")
        if name in mapping.roles
    }
    frame = pd.DataFrame(keys)
    unique = "dicom" if "dicom" in keys else "study"
    bad.add(frame[unique].duplicated().to_numpy(), mapping.roles[unique], "must be different in every row")
    if table.recognised:
        notes.append(f"{table.name} was read as: {', '.join(table.recognised)}.")
    return _File(bad, mapping, frame, notes)


def _labels(file: _File, choices: ImportChoices) -> pd.DataFrame:
    return file.frame.assign(**_codes(file, choices))


def _codes(file: _File, choices: ImportChoices) -> dict[str, pd.Series]:
    """Return the 14 label columns (Int64), NULL throughout where the file has none."""
    words = {word.lower(): Value[ours].value for word, ours in choices.mapping.values.items()}
    columns: dict[str, pd.Series] = {}
    for label in LABELS:
        if label in file.mapping.labels:
            codes = cells.label_codes(file.bad, file.mapping.labels[label], words)
            columns[label] = pd.Series(codes, dtype="Int64")
        else:
            columns[label] = pd.Series([pd.NA] * file.bad.table.rows, dtype="Int64")
    return columns


def _readings(file: _File, choices: ImportChoices) -> pd.DataFrame:
    """Return what radiologists say of studies, as label codes: a blank is nothing read."""
    reader = pd.Series([_READER] * len(file.frame), dtype="str")
    codes = {label: column.mask(column == Value.not_mentioned) for label, column in _codes(file, choices).items()}
    return file.frame[["study"]].assign(reader=reader, **codes)


def _notes(files: dict[str, _File]) -> list[str]:
    return list(dict.fromkeys(note for file in files.values() for note in file.notes))


def _study_rows(frame: pd.DataFrame, choices: ImportChoices, name: str) -> pd.DataFrame:
    if choices.dataset is None:
        raise UsageError(
            f"{name} has labels by study, and no file says which images and split there are. Add the metadata and "
            "split files, or say --dataset to import whole studies."
        )
    path = choices.dataset + "/p" + frame["patient"] + "/s" + frame["study"].str.zfill(2)
    view = -1 if choices.view is None else view_code(choices.view)
    return frame.assign(path=path, image=0, view=view, dataset=dataset_code(choices.dataset))


def _with_views(file: _File, choices: ImportChoices) -> pd.DataFrame:
    fallback = -1 if choices.view is None else view_code(choices.view)
    if "view" not in file.mapping.roles:
        if choices.view is None:
            raise UsageError(
                "The metadata file with the views is missing (`…-metadata.csv.gz`). Add it, or say --view."
            )
        return file.frame.assign(view=fallback)
    codes = cells.view_codes(file.bad, file.mapping.roles["view"], choices.mapping.views)
    # A blank ViewPosition is a projection that nobody noted: `other`, as in the notebook's tables.
    codes = np.where(codes == -1, view_code("other") if choices.view is None else fallback, codes)
    return file.frame.assign(view=codes, **properties(file.bad, file.mapping, file.notes))


def _with_split(frame: pd.DataFrame, split: _File, images: _File) -> pd.DataFrame:
    codes = cells.dataset_codes(split.bad, split.mapping.roles["dataset"], {})
    by_image = pd.Series(codes, index=split.frame["dicom"].to_numpy())
    by_image = by_image[~(split.bad.rows | split.frame["dicom"].duplicated().to_numpy())]
    dataset = frame["dicom"].map(by_image)
    rule = f"must have a row in {split.bad.table.name}"
    images.bad.add(dataset.isna().to_numpy(), images.mapping.roles["dicom"], rule)
    return frame.assign(dataset=dataset.fillna(-1).astype("int64"))


def _refuse(choices: ImportChoices, *files: _File) -> None:
    for file in files:
        file.bad.refuse(choices.skip_bad_rows)


def _joined(
    images: pd.DataFrame, labels: pd.DataFrame, files: dict[str, _File], readings: pd.DataFrame | None
) -> LabelRows:
    joined = images.merge(labels.drop_duplicates("study"), on=_STUDY, how="inner")
    keys = (as_names(pa.array(joined[name])) for name in ("patient", "study", "dicom"))
    joined["path"] = pd.array(mimic_paths(*keys), dtype="str")
    listing = files.get("images") or files["split"]
    refused = int(listing.bad.rows.sum()) + int(files["labels"].bad.rows.sum())
    unlabelled = len(images) - len(joined)
    if joined.empty:
        raise TableError(
            f"No study of {listing.bad.table.name} is in {files['labels'].bad.table.name}. Check that the files belong "
            "together, and that their ids are whole numbers."
        )
    notes = _notes(files)
    if unlabelled:
        left_out = counted(unlabelled, "image is", "images are")
        notes.insert(0, f"{left_out} of studies without labels and left out.")
    frame = joined.drop(columns="dicom").assign(image=-1)
    return LabelRows(frame, "mimic-cxr-jpg", listing.bad.table.rows, refused, unlabelled, notes, readings)
