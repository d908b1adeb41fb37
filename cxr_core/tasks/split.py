"""Dividing a source into train, valid and test by patient, where whoever made it did not.

All images of a patient fall into one data set, so that a figure on one is a test of what was learned on another.
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from cxr_core.caller import ADMIN, require
from cxr_core.errors import ExistsError, UnknownNameError, UsageError, brief
from cxr_core.journal import note_deed
from cxr_core.schema import DATASETS
from cxr_core.sources.registry import get_source
from cxr_core.tasks.import_labels import TABLE, importable_folder
from cxr_core.warehouse.parquet import write_table

#: What stays together.
UNITS = ("patient",)
#: Folders of a source whose files were made for the division that it has.
_MADE_FOR_IT = ("predictions", "records", "readings")


def split_source(
    source_name: str, by: str, shares: Sequence[float], seed: int = 2019, replace: bool = False
) -> dict[str, dict[str, int]]:
    """Divide the label rows of a source anew and return the number of images and patients of each data set.

    Args:
        source_name: a source of the workspace.
        by: what stays together, of `UNITS`.
        shares: of the patients in train, valid and test; they add up to 1.
        seed: of the shuffle; the same seed, patients and shares divide alike.
        replace: whether a division that is there is given up.

    Raises:
        UsageError: the source's tables are not the product's to write, it has no labels, or the shares are no shares.
        ExistsError: the source is divided already, or has tables and records that were made for its division.
    """
    require(ADMIN, "divide a source")
    if by not in UNITS:
        raise UnknownNameError("unit to split by", by, UNITS)
    parts = _checked(shares)
    get_source(source_name)
    folder = importable_folder(source_name)
    table = folder / TABLE
    if not table.is_file():
        raise UsageError(
            f"The source {get_source(source_name).name} has no imported labels to split. Import them first."
        )
    made = [name for name in _MADE_FOR_IT if any((folder / name).glob("*"))]
    if made:
        raise ExistsError(
            f"The source {source_name} has {' and '.join(made)} that were made for the division that it has. Split it "
            "before they are made, or import its labels into a new source."
        )
    frame = pq.read_table(table).to_pandas()
    if frame["dataset"].nunique() > 1 and not replace:
        raise ExistsError(f"The source {source_name} is divided already. Use --replace to divide it anew.")
    divided = frame.assign(dataset=_datasets(frame["patient"], parts, seed))
    write_table(table, _as_it_was(divided), unstated=True)
    note_deed("source divided", source=source_name, rows=len(divided))
    counts = divided.groupby("dataset").agg(images=("path", "size"), patients=("patient", "nunique"))
    return {
        name: {"images": int(counts["images"].get(code, 0)), "patients": int(counts["patients"].get(code, 0))}
        for code, name in enumerate(DATASETS)
    }


def parse_shares(text: str) -> tuple[float, ...]:
    """Return the three shares that a text such as `0.8,0.1,0.1` names, else raise `UsageError`."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"Shares are three numbers, as in 0.8,0.1,0.1. Received: {brief(text)}.") from None


def _checked(shares: Sequence[float]) -> tuple[float, ...]:
    wrong = len(shares) != len(DATASETS) or not all(0 <= share <= 1 for share in shares)
    if wrong or not math.isclose(sum(shares), 1, abs_tol=1e-6):
        raise UsageError(
            f"The shares of train, valid and test must be three numbers from 0 to 1 that add up to 1. "
            f"Received: {', '.join(f'{share:g}' for share in shares)}."
        )
    return tuple(shares)


def _datasets(patients: pd.Series, shares: Sequence[float], seed: int) -> np.ndarray:
    """Return the data set of each row: patients are shuffled, and cut where the shares say."""
    unique = np.sort(patients.unique())
    shuffled = np.random.default_rng(seed).permutation(unique)
    ends = [round(share * unique.size) for share in itertools.accumulate(shares)]
    place = pd.Series(np.searchsorted(ends[:-1], np.arange(unique.size), side="right"), index=shuffled)
    return patients.map(place).to_numpy(np.int64)


def _as_it_was(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with whole numbers where a NULL made floats of them."""
    floats = [name for name in frame.columns if frame[name].dtype.kind == "f" and name not in ("age",)]
    whole = [name for name in floats if (frame[name].dropna() % 1 == 0).all()]
    return frame.astype(dict.fromkeys(whole, "Int64"))
