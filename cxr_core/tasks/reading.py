"""Reading films: each verdict is stored as soon as it is given, in the set of readings of a source.

A verdict takes its place with the table as a whole (`atomic.replacing`), under the lock of the source: whoever is
killed a moment later has lost none, and two windows that read at once lose none of each other. A verdict that was given
in view of another state of the film than the table has is refused, so nothing is overwritten unseen.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cxr_core.atomic import disk_errors, sync
from cxr_core.caller import RESEARCHER, require
from cxr_core.errors import ExistsError, TableError, UnknownNameError, UsageError, brief
from cxr_core.journal import note_deed
from cxr_core.schema import (
    INTEGER_KEYS,
    KEY_COLUMNS,
    LABELS,
    READER_COLUMN,
    SET_ASIDE_COLUMN,
    Verdict,
    check_label,
    dataset_code,
    view_code,
)
from cxr_core.sources.rebuilt_folder import only_builder
from cxr_core.sources.registry import ready_source
from cxr_core.tasks.images import ListedImage
from cxr_core.warehouse.parquet import write_readings

VERDICTS: tuple[str, ...] = tuple(verdict.name for verdict in Verdict)
_LONGEST_NAME = 64


@dataclass(frozen=True)
class Desk:
    """Who reads what: a `reader` of a `set` of readings of a source, and the `label` that is looked for."""

    source: str
    set: str
    reader: str
    label: str

    @property
    def table(self) -> Path:
        """Where the set lies; it need not exist."""
        return ready_source(self.source).readings_path(self.set)


@dataclass(frozen=True)
class Given:
    """A verdict that is to be stored.

    `verdict` is one of `VERDICTS`, None for none (any more); `before` is what the table had when the film was shown.
    `set_aside` says that it tells no share: the film was picked by what is said of it, or that was in sight.
    """

    verdict: str | None
    before: str | None = None
    set_aside: bool = False


def desk(source: str, set_name: str, reader: str, label: str) -> Desk:
    """Return who reads what, once it is known to be possible.

    Raises:
        UnknownNameError: there is no such source or label.
        UsageError: a name is not legal.
        ExistsError: a set of that name lies where the product does not write.
    """
    name = " ".join(reader.split())
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise UsageError(f"A reader's name must be 1 to {_LONGEST_NAME} printable letters. Received: {brief(reader)}.")
    found = Desk(source, set_name, name, check_label(label))
    if not found.table.is_file() and set_name in ready_source(source).warehouse().reading_sets():
        raise ExistsError(f"The set {set_name} of {source} lies elsewhere. Choose another name for the set.")
    return found


def said(desk: Desk) -> dict[str, str]:
    """Return what the reader said of the label, by the path of the film; a study that was read as a whole is none."""
    table = _table(desk.table)
    if table is None or desk.label not in table.column_names:
        return {}
    own = pc.and_(pc.equal(table[READER_COLUMN], desk.reader), pc.not_equal(table["image"], 0))
    rows = table.filter(pc.and_(own, pc.is_valid(table[desk.label])))
    codes = rows[desk.label].to_pylist()
    return {path: Verdict(code).name for path, code in zip(rows["path"].to_pylist(), codes, strict=True)}


def store(desk: Desk, image: ListedImage, given: Given) -> None:
    """Store a verdict on a film; when this returns, it is on the disk.

    What is changed later stays set aside, or not, as it was when the film was read first.

    Raises:
        UnknownNameError: there is no such verdict.
        UsageError: the film is a study, or was read otherwise meanwhile.
        CxrError: the disk is full, or may not be written.
    """
    require(RESEARCHER, "read films")
    if given.verdict is not None and given.verdict not in VERDICTS:
        raise UnknownNameError("verdict", given.verdict, VERDICTS)
    if not image.image or image.view is None:
        raise UsageError(f"Only a single film is read. Received the study {brief(image.path)}.")
    with only_builder(ready_source(desk.source).folder):
        frame = _readings(desk.table)
        at = _place(frame, desk, image)
        now = _said_at(frame, at, desk.label) if at < len(frame) else None
        if now == given.verdict:
            return
        if now != given.before:
            raise UsageError(
                f"{desk.reader} has called this film {now or 'unread'} meanwhile, in another window. "
                "Look at it again; what is stored stays until another verdict is given."
            )
        if at == len(frame):
            frame = pd.concat([frame, _row(frame, desk, image)], ignore_index=True)
        _write(desk.table, _changed(frame, at, desk, given))
    note_deed("film read", source=desk.source, set=desk.set, reader=desk.reader, label=desk.label)


def own_readings(desk: Desk) -> pd.DataFrame:
    """Return all that the reader said in the set, as a table that `import readings` takes back."""
    frame = _readings(desk.table)
    return frame[frame[READER_COLUMN] == desk.reader].reset_index(drop=True)


def forget_reader(desk: Desk) -> int:
    """Delete all that the reader said in the set, of all labels, and return how many films that were."""
    require(RESEARCHER, "delete readings")
    with only_builder(ready_source(desk.source).folder):
        frame = _readings(desk.table)
        own = frame[READER_COLUMN] == desk.reader
        if own.any():
            _write(desk.table, frame[~own])
            note_deed("readings deleted", source=desk.source, set=desk.set, reader=desk.reader, rows=int(own.sum()))
    return int(own.sum())


def _readings(table: Path) -> pd.DataFrame:
    """Return a set as a frame of the schema's columns; integers stay exact where others are NULL."""
    columns, stored = [*KEY_COLUMNS, READER_COLUMN, SET_ASIDE_COLUMN, *LABELS], _table(table)
    exact = {pa.int64(): pd.Int64Dtype()}.get
    found = pd.DataFrame(columns=columns) if stored is None else stored.to_pandas(types_mapper=exact)
    whole = found.reindex(columns=columns).astype(dict.fromkeys([*INTEGER_KEYS, *LABELS], "Int64"))
    aside = whole[SET_ASIDE_COLUMN].astype(object).where(whole[SET_ASIDE_COLUMN].notna(), "")
    return whole.assign(**{SET_ASIDE_COLUMN: aside}).reset_index(drop=True)


def _table(table: Path) -> pa.Table | None:
    try:
        return pq.read_table(table) if table.is_file() else None
    except (pa.ArrowException, OSError) as error:
        raise TableError(f"{table} must be a readable Parquet file. Received: {str(error).splitlines()[0]}") from error


def _place(frame: pd.DataFrame, desk: Desk, image: ListedImage) -> int:
    """Return which row the reader's of the film is, one behind the last where it is not there."""
    own = (frame["path"] == image.path) & (frame[READER_COLUMN] == desk.reader) & (frame["image"] != 0)
    return int(own.to_numpy(bool).argmax()) if own.any() else len(frame)


def _row(frame: pd.DataFrame, desk: Desk, image: ListedImage) -> pd.DataFrame:
    """Return a row of a film of which nothing is said yet."""
    assert image.view is not None, "checked before"
    codes = {"view": view_code(image.view), "dataset": dataset_code(image.dataset)}
    numbers = {name: getattr(image, name) for name in ("patient", "study", "image")}
    texts = {"path": image.path, READER_COLUMN: desk.reader, SET_ASIDE_COLUMN: ""}
    return pd.DataFrame([texts | numbers | codes | dict.fromkeys(LABELS)]).astype(frame.dtypes)[frame.columns]


def _said_at(frame: pd.DataFrame, at: int, label: str) -> str | None:
    code: Any = frame.at[at, label]
    return None if pd.isna(code) else Verdict(int(code)).name


def _changed(frame: pd.DataFrame, at: int, desk: Desk, given: Given) -> pd.DataFrame:
    """Return the frame with a verdict; a row that says nothing any more is left out."""
    others = " ".join(one for one in str(frame.at[at, SET_ASIDE_COLUMN]).split() if one != desk.label)
    if given.verdict is None:
        frame.loc[at, [desk.label, SET_ASIDE_COLUMN]] = pd.NA, others
        return frame.drop(index=at) if frame.loc[at, [*LABELS]].isna().all() else frame
    frame.loc[at, desk.label] = int(Verdict[given.verdict])
    if given.before is None:
        frame.at[at, SET_ASIDE_COLUMN] = f"{others} {desk.label}".strip() if given.set_aside else others
    return frame


def _write(table: Path, frame: pd.DataFrame) -> None:
    """Put a set in its place; a set without a row is none."""
    if len(frame):
        write_readings(table, frame)
        return
    with disk_errors(table):
        table.unlink(missing_ok=True)
        sync(table.parent)
