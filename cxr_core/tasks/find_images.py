"""The images that somebody asks for by what is typed: a path, a patient or a study."""

import re
from typing import Any

import numpy as np
import pandas as pd

from cxr_core.errors import UsageError, brief
from cxr_core.schema import DATASETS, VALUES, VIEWS, check_label
from cxr_core.sources.registry import ready_source
from cxr_core.tasks.images import ListedImage

_PATIENT = re.compile(r"p?(\d{1,18})", re.IGNORECASE)
_STUDY = re.compile(r"p?(\d{1,18})[\s/,]+s?(\d{1,18})", re.IGNORECASE)
#: More than a person looks through.
_MOST = 500


def find_images(source_name: str, text: str, label: str | None = None) -> tuple[ListedImage, ...]:
    """Return the images that a text names, in the order of their paths, of all data sets; no more than 500.

    Args:
        source_name: the source.
        text: a path; the beginning of one up to a `/`; a patient (`10000032`, `p10000032`); a patient and a study
            (`p10000032/s01`, `10000032 1`).
        label: whose value is told.

    Raises:
        UnknownNameError: there is no such source or label.
        UsageError: the text names nothing.
        TableError, WarehouseError: the label tables cannot be read.
    """
    frame = ready_source(source_name).warehouse().labels()
    rows = _named(frame, text.strip())
    if not rows.size:
        raise UsageError(
            f"Nothing in {source_name} is named {brief(text)}. Give a patient, a patient and a study as in p12/s01, "
            "or a path."
        )
    values = frame[check_label(label)].to_numpy() if label else np.full(len(frame), -1)
    return tuple(_listed(frame.iloc[row], int(values[row]), text.strip()) for row in rows[:_MOST])


def _named(frame: pd.DataFrame, text: str) -> Any:
    if not text:
        return np.empty(0, np.int64)
    paths = frame["path"]
    by_path = paths == text
    if not by_path.any():
        by_path = paths.str.startswith(text.rstrip("/") + "/")
    if not by_path.any() and (study := _STUDY.fullmatch(text)):
        by_path = (frame["patient"] == int(study[1])) & (frame["study"] == int(study[2]))
    if not by_path.any() and (patient := _PATIENT.fullmatch(text)):
        by_path = frame["patient"] == int(patient[1])
    return np.flatnonzero(by_path)


def _listed(row: "pd.Series[Any]", value: int, text: str) -> ListedImage:
    return ListedImage(
        path=str(row["path"]),
        dataset=DATASETS[int(row["dataset"])],
        view=VIEWS[int(row["view"])] if row["view"] >= 0 else None,
        patient=int(row["patient"]),
        study=int(row["study"]),
        image=int(row["image"]),
        value=VALUES[value] if value >= 0 else None,
        score=None,
        why=f"named by {text[:80]}",
    )
