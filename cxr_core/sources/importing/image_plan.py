"""Which image files become which records: the files of a place met with a source's label rows."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxr_core.errors import UsageError
from cxr_core.schema import DATASETS, INTEGER_KEYS, LABELS, VIEWS
from cxr_core.sources.importing.image_files import ImageFile, image_files
from cxr_core.sources.importing.image_parts import Part, PlannedImage, planned_parts
from cxr_core.sources.importing.matching import MOST_SHOWN, match_paths
from cxr_core.sources.source import Source
from cxr_core.words import counted

_SEED = 2019


@dataclass(frozen=True)
class ImagePlan:
    """What is to be done: the parts, and how many files have no label row and label rows no file.

    `matched` counts files by what found their label row, `unmatched_examples` are the first without one, `notes` say
    it in words.
    """

    parts: list[Part]
    unmatched: int
    missing: int
    matched: dict[str, int]
    unmatched_examples: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def images(self) -> int:
        """The images that get a record, if they can be read."""
        return sum(len(part.images) for part in self.parts)

    @property
    def groups(self) -> list[tuple[str, str]]:
        """The data sets and views that get records."""
        return list(dict.fromkeys((part.dataset, part.view) for part in self.parts))

    def digest(self, config: dict[str, Any]) -> str:
        """Return what tells one import from another, so that a resumed one finds its own parts only."""
        told = [[image.file.name, image.path, image.labels] for part in self.parts for image in part.images]
        text = json.dumps([config["place"], config["aspect"], bool(config.get("equalise")), told])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def image_plan(source: Source, config: dict[str, Any]) -> ImagePlan:
    """Return what is to be done; the same files and labels always give the same plan.

    Raises:
        UsageError: there are no images, none that belongs to a label row, or two that are the same image.
    """
    place = Path(config["place"])
    files = image_files(place)
    names = [file.name for file in files]
    labels = source.warehouse().labels(config["dataset"], config["view"])
    labels = labels[labels["image"] != 0].reset_index(drop=True)
    matches = match_paths(names, labels["path"].tolist())
    found: dict[int, ImageFile] = {}
    for file, number in zip(files, matches.rows.tolist(), strict=True):
        if number in found:
            raise UsageError(f"{found[number].name} and {file.name} are both the image {labels['path'][number]!r}.")
        if number >= 0:
            found[number] = file
    if not found:
        raise UsageError(
            f"No image in {place} is in the label table ({counted(len(files), 'file')}, first: {files[0].name!r}). "
            "Import the labels that belong to them, or name the folder above."
        )
    lost = tuple(name for name, row in zip(names, matches.rows, strict=True) if row < 0)
    return ImagePlan(
        planned_parts(_grouped(found, labels)),
        len(lost),
        len(labels) - len(found),
        matches.ways,
        lost[:MOST_SHOWN],
        (matches.sentence(names, "images"),),
    )


def _grouped(found: dict[int, ImageFile], labels: pd.DataFrame) -> dict[tuple[str, str], Sequence[PlannedImage]]:
    """Return the images of each data set and view, mixed, so that no record file holds one patient after the other."""
    groups: dict[tuple[str, str], Sequence[PlannedImage]] = {}
    rows = labels.loc[sorted(found)]
    for dataset, view in sorted(set(zip(rows["dataset"].tolist(), rows["view"].tolist(), strict=True))):
        group = rows[(rows["dataset"] == dataset) & (rows["view"] == view)]
        order = np.random.default_rng([_SEED, dataset, view]).permutation(len(group))
        keys, values = (group[list(names)].to_dict("records") for names in (INTEGER_KEYS, LABELS))
        paths, numbers = group["path"].tolist(), group.index.tolist()
        groups[DATASETS[dataset], VIEWS[view]] = [
            PlannedImage(found[numbers[i]], paths[i], _integers(keys[i]), _stated(values[i])) for i in order
        ]
    return groups


def _integers(row: dict[Any, Any]) -> dict[str, int]:
    return {str(name): int(value) for name, value in row.items()}


def _stated(row: dict[Any, Any]) -> dict[str, int]:
    """Return the labels that somebody stated: one that the data set lacks is no label of its records, not even 0."""
    return {label: code for label, code in _integers(row).items() if code >= 0}
