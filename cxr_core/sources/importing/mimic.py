"""The layout of MIMIC-CXR-JPG 2.x: labels by study, images with their views, and the split, each in a file."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxr_core.errors import TableError, UsageError
from cxr_core.schema import dataset_code, view_code
from cxr_core.sources.importing import cells
from cxr_core.sources.importing.cells import BadCells
from cxr_core.sources.importing.label_rows import ImportChoices, LabelRows, label_columns, properties
from cxr_core.sources.importing.spelling import ColumnMapping
from cxr_core.sources.importing.text_table import TextTable
from cxr_core.words import counted

_STUDY = ["patient", "study"]


@dataclass(frozen=True, eq=False)
class _File:
    """One of the files, with its keys read."""

    bad: BadCells
    mapping: ColumnMapping
    frame: pd.DataFrame

    def kept(self) -> pd.DataFrame:
        """Return the rows without a bad cell."""
        return self.frame[~self.bad.rows]


def mimic_rows(tables: Sequence[TextTable], mappings: Sequence[ColumnMapping], choices: ImportChoices) -> LabelRows:
    """Return the rows of the three files: labels joined from the study to its images; raises as `label_rows`.

    Without a file that lists images, the rows stand for whole studies.
    """
    labels, images, split = _sorted_files(tables, mappings)
    labels_frame = _labels(labels)
    if images is None:
        frame = _study_rows(labels_frame, choices, labels.bad.table.name)
        _refuse(choices, labels)
        kept = frame[~labels.bad.rows].reset_index(drop=True)
        return LabelRows(kept, "mimic-cxr-jpg", labels.bad.table.rows, int(labels.bad.rows.sum()))
    image_frame = _with_views(images, choices)
    if split is not None and choices.dataset is None:
        image_frame = _with_split(image_frame, split, images)
    elif choices.dataset is None:
        raise UsageError("The split file is missing (`…-split.csv.gz`). Add it, or say --dataset for all images.")
    else:
        image_frame = image_frame.assign(dataset=dataset_code(choices.dataset))
    _refuse(choices, *(file for file in (labels, images, split) if file is not None))
    return _joined(image_frame[~images.bad.rows], labels_frame[~labels.bad.rows], labels, images)


def _sorted_files(
    tables: Sequence[TextTable], mappings: Sequence[ColumnMapping]
) -> tuple[_File, _File | None, _File | None]:
    """Return the files of labels, of images with views, and of the split."""
    found: dict[str, _File] = {}
    for table, mapping in zip(tables, mappings, strict=True):
        kind = _kind(table, mapping)
        if kind in found:
            raise TableError(f"{found[kind].bad.table.name} and {table.name} are both a file of {kind}. Give one.")
        found[kind] = _keyed(table, mapping)
    if "labels" not in found:
        raise TableError("None of the files has labels by study (`…-chexpert.csv.gz` or `…-negbio.csv.gz`). Add it.")
    # A split file lists every image, so it can stand for the metadata where the user says the view.
    images = found.get("images") or found.get("split")
    return found["labels"], images, found.get("split")


def _kind(table: TextTable, mapping: ColumnMapping) -> str:
    needed = [role for role in ("patient", "study") if role not in mapping.roles]
    if needed:
        raise TableError(f"{table.name} must have the columns subject_id and study_id. It lacks the {needed[0]}'s.")
    if mapping.labels:
        return "labels"
    if "dicom" not in mapping.roles:
        raise TableError(f"{table.name} has neither labels nor a column dicom_id, so it is no MIMIC-CXR-JPG file.")
    return "split" if "dataset" in mapping.roles and "view" not in mapping.roles else "images"


def _keyed(table: TextTable, mapping: ColumnMapping) -> _File:
    bad = BadCells(table)
    keys = {
        name: pd.Series(cells.key_texts(bad, mapping.roles[name]), dtype="str")
        for name in ("patient", "study", "dicom")
        if name in mapping.roles
    }
    frame = pd.DataFrame(keys)
    unique = "dicom" if "dicom" in keys else "study"
    bad.add(frame[unique].duplicated().to_numpy(), mapping.roles[unique], "must be different in every row")
    return _File(bad, mapping, frame)


def _labels(file: _File) -> pd.DataFrame:
    return file.frame.assign(**label_columns(file.bad, file.mapping, "mimic-cxr-jpg"))


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
    codes = cells.view_codes(file.bad, file.mapping.roles["view"])
    # A blank ViewPosition is a projection that nobody noted: `other`, as in the notebook's tables.
    codes = np.where(codes == -1, view_code("other") if choices.view is None else fallback, codes)
    return file.frame.assign(view=codes, **properties(file.bad, file.mapping))


def _with_split(frame: pd.DataFrame, split: _File, images: _File) -> pd.DataFrame:
    codes = cells.dataset_codes(split.bad, split.mapping.roles["dataset"])
    by_image = pd.Series(codes, index=split.frame["dicom"].to_numpy())
    by_image = by_image[~(split.bad.rows | split.frame["dicom"].duplicated().to_numpy())]
    dataset = frame["dicom"].map(by_image)
    rule = f"must have a row in {split.bad.table.name}"
    images.bad.add(dataset.isna().to_numpy(), images.mapping.roles["dicom"], rule)
    return frame.assign(dataset=dataset.fillna(-1).astype("int64"))


def _refuse(choices: ImportChoices, *files: _File) -> None:
    for file in files:
        file.bad.refuse(choices.skip_bad_rows)


def _joined(images: pd.DataFrame, labels: pd.DataFrame, labels_file: _File, images_file: _File) -> LabelRows:
    joined = images.merge(labels.drop_duplicates("study"), on=_STUDY, how="inner")
    path = "files/p" + joined["patient"].str[:2] + "/p" + joined["patient"]
    joined["path"] = path + "/s" + joined["study"] + "/" + joined["dicom"] + ".jpg"
    refused = int(images_file.bad.rows.sum()) + int(labels_file.bad.rows.sum())
    unlabelled = len(images) - len(joined)
    notes = (
        [f"{counted(unlabelled, 'image is', 'images are')} of studies without labels and left out."]
        if unlabelled
        else []
    )
    frame = joined.drop(columns="dicom").assign(image=-1)
    return LabelRows(frame, "mimic-cxr-jpg", images_file.bad.table.rows, refused, unlabelled, notes)
