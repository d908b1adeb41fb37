"""What readers say, beside the rows that it is about: by image, and by study where somebody read the whole study."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from cxr_core.arrays import BoolArray, IntArray
from cxr_core.errors import TableError
from cxr_core.schema import KEY_COLUMNS, LABELS, READER_COLUMN, SET_ASIDE_COLUMN, TRUTH, Verdict
from cxr_core.warehouse.frames import MISSING, codes, key_columns

#: What names a study among all rows of a source.
STUDY = ("dataset", "patient", "study")
NOT_READ = 0

Codes = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Votes:
    """What each of `readers` says of each row and label.

    `codes` (rows, readers, 14) are those of `schema.Verdict`, 0 where a reader did not read; `from_study` (rows,) says
    which image rows were read as a part of their study only.
    """

    readers: tuple[str, ...]
    codes: Codes
    from_study: BoolArray

    def of(self, label: str) -> IntArray:
        """Return the votes (rows, readers) on a label."""
        return self.codes[:, :, LABELS.index(label)].astype(np.int64)

    @property
    def read(self) -> BoolArray:
        """Which rows (rows,) anybody read."""
        return (self.codes != NOT_READ).any(axis=(1, 2))


@dataclass(frozen=True, eq=False)
class _Said:
    """Readings as arrays: whose each is (n,), of which study (n,), and its 14 codes (n, 14)."""

    reader: IntArray
    study: IntArray
    codes: Codes

    def only(self, chosen: BoolArray) -> "_Said":
        return _Said(self.reader[chosen], self.study[chosen], self.codes[chosen])


def readings_frame(table: pa.Table, location: str) -> pd.DataFrame:
    """Return readings sorted by path and reader: the keys, `reader`, the 14 labels as int64 (0 where not read).

    `set_aside` follows where the table has it.

    Raises:
        TableError: a code is none of `schema.Verdict`, a reader has no name, or stands twice on one row.
    """
    readers = table[READER_COLUMN].cast(pa.string())
    if readers.null_count:
        raise TableError(f"Each row of {location} must name its reader in `{READER_COLUMN}`. Received: NULL.")
    said = {label: _said(table, label) for label in LABELS}
    frame = pd.DataFrame(
        {**key_columns(table, KEY_COLUMNS), READER_COLUMN: pd.array(readers.to_pylist(), dtype="str"), **said}
    )
    if SET_ASIDE_COLUMN in table.column_names:
        frame[SET_ASIDE_COLUMN] = [text or "" for text in table[SET_ASIDE_COLUMN].cast(pa.string()).to_pylist()]
    twice = frame[frame.duplicated(["path", READER_COLUMN])]
    if len(twice):
        raise TableError(
            f"Each reader must stand once on a row of {location}. "
            f"Received twice: {twice[READER_COLUMN].iloc[0]!r} on {twice['path'].iloc[0]!r}."
        )
    return frame.sort_values(["path", READER_COLUMN], kind="stable", ignore_index=True)


def counted_readings(readings: pd.DataFrame) -> pd.DataFrame:
    """Return readings without what was set aside, as not read: what is left tells a share."""
    if SET_ASIDE_COLUMN not in readings:
        return readings
    aside = [set(text.split()) for text in readings[SET_ASIDE_COLUMN]]
    kept = {label: np.where([label in one for one in aside], NOT_READ, readings[label].to_numpy()) for label in LABELS}
    return readings.assign(**kept)


def _said(table: pa.Table, label: str) -> np.ndarray:
    """Return what readers say of a label as codes of `schema.Verdict`, 0 where they did not read."""
    if label not in table.column_names:
        return np.zeros(table.num_rows, np.int64)
    stored = codes(table, label, max(Verdict) + 1)
    return np.where(stored == MISSING, 0, stored)


def votes_on(rows: pd.DataFrame, readings: pd.DataFrame) -> Votes:
    """Return what the readers say of rows with the keys `path`, `patient`, `study`, `image` and `dataset`.

    An image takes the reading of itself before that of its study. A study row (image 0) takes the reading of the study
    before the largest code among its images: what is present on one image is present in the study.
    """
    readers = tuple(sorted(readings[READER_COLUMN].unique()))
    place = {name: number for number, name in enumerate(readers)}
    of_rows, of_readings = _study_numbers(rows, readings)
    said = _Said(
        readings[READER_COLUMN].map(place).to_numpy(np.int64), of_readings, readings[[*LABELS]].to_numpy(np.int8)
    )
    is_image, read_image = (rows["image"] != 0).to_numpy(), (readings["image"] != 0).to_numpy()
    shape = (len(rows), len(readers), len(LABELS))
    of_study = _by_study(shape, of_rows, said.only(~read_image))
    first = _by_path(shape, rows["path"], readings.loc[read_image, "path"], said.only(read_image))
    from_study = is_image & ~_any(first) & _any(of_study)
    first[~is_image] = of_study[~is_image]
    second = np.where(is_image[:, None, None], of_study, _by_study(shape, of_rows, said.only(read_image)))
    return Votes(readers, np.where(first != NOT_READ, first, second), from_study)


def truth_as_readings(truth: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Return what was really there (`path`, labels 0 or 1) as the readings of one reader, by the keys of label rows."""
    known = labels[[*KEY_COLUMNS]].merge(truth, on="path", how="inner")
    present = known[[*LABELS]].to_numpy() == 1
    said = pd.DataFrame(np.where(present, Verdict.present, Verdict.absent), columns=list(LABELS))
    return pd.concat([known[[*KEY_COLUMNS]].assign(**{READER_COLUMN: TRUTH}), said], axis=1)


def _by_path(shape: tuple[int, int, int], paths: pd.Series, read: pd.Series, said: _Said) -> Codes:
    """Return the codes of the readings of each path."""
    found = np.zeros(shape, np.int8)
    rows = pd.Index(paths).get_indexer(read)
    known = rows >= 0
    found[rows[known], said.reader[known]] = said.codes[known]
    return found


def _by_study(shape: tuple[int, int, int], of_rows: IntArray, said: _Said) -> Codes:
    """Return the largest codes of the readings of each row's study."""
    studies = int(max(of_rows.max(initial=-1), said.study.max(initial=-1))) + 1
    largest = np.zeros((studies, *shape[1:]), np.int8)
    np.maximum.at(largest, (said.study, said.reader), said.codes)
    return largest[of_rows]


def _any(codes: Codes) -> BoolArray:
    return (codes != NOT_READ).any(axis=(1, 2))


def _study_numbers(rows: pd.DataFrame, readings: pd.DataFrame) -> tuple[IntArray, IntArray]:
    """Return a number for the study of each row, and of each reading."""
    both = pd.concat([rows[[*STUDY]], readings[[*STUDY]]], ignore_index=True)
    numbers: IntArray = np.asarray(both.groupby(list(STUDY), sort=False).ngroup(), np.int64)
    return numbers[: len(rows)], numbers[len(rows) :]
