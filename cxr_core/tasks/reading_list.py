"""Which films are read, in which order, and how good the reader is: beside the truth, the report and other readers."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cxr_core.arrays import IntArray
from cxr_core.errors import UnknownNameError, UsageError
from cxr_core.evaluation.image_groups import OF_VALUE, Picked
from cxr_core.evaluation.proportions import share_interval
from cxr_core.evaluation.reading_order import AS_LISTED, reading_order
from cxr_core.evaluation.results import Bounds
from cxr_core.schema import READER_COLUMN, REPORT, TRUTH, Value, Verdict, view_code
from cxr_core.sources.registry import ready_source
from cxr_core.tasks.image_facts import Rows, label_rows
from cxr_core.tasks.images import ImageGroup, ImageQuery
from cxr_core.tasks.reading import Desk, said

#: The groups that the report's value alone makes: what is read of them in an order that looks at nothing is a sample.
SAMPLED_GROUPS = (None, "uncertain", "uncertain-highest", "uncertain-lowest", *OF_VALUE)
READERS, MYSELF = "readers", "myself"
#: With whom a reader disagrees.
OTHERS = (REPORT, READERS, MYSELF, TRUTH)
_PRESENT, _ABSENT = Verdict.present.name, Verdict.absent.name


@dataclass(frozen=True)
class AgreementSoFar:
    """How many of `n` films, called present or absent, a reader calls as the other does.

    `found` of the `n_present` that the other calls present, `ruled_out` of the `n_absent`; the share's 95 % interval
    knows patients, and is None for the reason in `why`.
    """

    n: int
    agreed: int
    found: int
    n_present: int
    ruled_out: int
    n_absent: int
    ci: Bounds | None
    why: str | None


def reading_list(group: ImageGroup, order: str, seed: int) -> ImageGroup:
    """Return the films of a group in the order in which they are read; rows that stand for a study are left out.

    Raises:
        UnknownNameError: there is no such order.
    """
    rows = group.picked.rows
    films = rows[(group.frame["image"].to_numpy() != 0)[rows]]
    why = dict(zip(rows.tolist(), group.picked.why, strict=True))
    ordered = reading_order(order, films, group.values, group.scores, seed)
    return replace(group, picked=Picked(ordered, [why[row] for row in ordered.tolist()]))


def is_sample(query: ImageQuery, order: str) -> bool:
    """Say whether what is read of a group is a sample of each value of the report, wherever one stops."""
    return query.group in SAMPLED_GROUPS and query.judge == REPORT and order != AS_LISTED


def second_look(desk: Desk, query: ImageQuery, other: str, rows: Rows = label_rows) -> ImageGroup:
    """Return the films of the query's data set and view on which the reader says otherwise than `other`, by path.

    Args:
        desk: who reads what.
        query: of which data set and view.
        other: `report` (what it does not mention counts as absent), `readers` (any other of the set), `myself` (the
            reader of the same name in another set) or, where it is known, `truth`.
        rows: as `image_facts.label_rows`; for whoever has its answer already.

    Raises:
        UnknownNameError: `other` is none of `OTHERS`.
        UsageError: nobody knows the truth.
    """
    if other not in OTHERS:
        raise UnknownNameError("other", other, OTHERS)
    frame, own = rows(desk.source, query.dataset), said(desk)
    if query.view is not None:
        frame = frame[frame["view"] == view_code(query.view)]
    frame = frame[(frame["image"] != 0) & frame["path"].isin(list(own))].reset_index(drop=True)
    theirs = others_say(desk, other, frame)
    paths = frame["path"].tolist()
    differ = [row for row, path in enumerate(paths) if _opposite(own[path]) in theirs.get(path, {}).values()]
    why = [_who(theirs[paths[row]], _opposite(own[paths[row]])) for row in differ]
    values = frame[desk.label].to_numpy(np.int64)
    asked = replace(query, group=None, model=None, card=None, threshold=None, beside=None, judge=REPORT)
    return ImageGroup(asked, frame, Picked(np.array(differ, np.int64), why), values, np.full(len(frame), np.nan))


def others_say(desk: Desk, other: str, frame: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Return by path who of `other` says what (`present` or `absent`) of the label of label rows."""
    if other == REPORT:
        said_there = certain_values(frame["path"].tolist(), frame[desk.label].to_numpy())
        return {path: {"the report": one} for path, one in said_there.items()}
    if other == TRUTH:
        return {path: {"the truth": one} for path, one in truth_of(desk).items()}
    warehouse, found = ready_source(desk.source).warehouse(), dict[str, dict[str, str]]()
    for name in warehouse.reading_sets():
        if (name == desk.set) == (other == READERS):
            table = warehouse.readings(name)
            theirs = (table[READER_COLUMN] == desk.reader) == (other == MYSELF)
            for path, reader, code in _certain(table[theirs & (table["image"] != 0)], desk.label):
                found.setdefault(path, {})[reader if other == READERS else f"you in {name}"] = Verdict(code).name
    return found


def truth_of(desk: Desk) -> dict[str, str]:
    """Return what is really there of the label (`present` or `absent`), by path; `UsageError` where nobody knows."""
    truth = ready_source(desk.source).warehouse().truth()
    if truth is None:
        raise UsageError(f"Nobody knows the truth of the source {desk.source}. Look again beside the report.")
    return {p: _PRESENT if t == 1 else _ABSENT for p, t in zip(truth["path"], truth[desk.label], strict=True)}


def agreement_so_far(own: dict[str, str], other: dict[str, str], films: pd.DataFrame) -> AgreementSoFar:
    """Return how far a reader agrees with another on films (`path` and `patient`) that both call present or absent."""
    both = films[[own.get(p) in (_PRESENT, _ABSENT) and p in other for p in films["path"]]]
    mine = np.array([own[path] == _PRESENT for path in both["path"]], bool)
    theirs = np.array([other[path] == _PRESENT for path in both["path"]], bool)
    patients = np.unique(both["patient"].to_numpy(), return_inverse=True)[1]
    agreed = np.bincount(patients, weights=(mine == theirs).astype(np.float64))
    interval = share_interval(agreed.astype(np.float64), np.bincount(patients).astype(np.float64))
    return AgreementSoFar(
        n=mine.size,
        agreed=int((mine == theirs).sum()),
        found=int((mine & theirs).sum()),
        n_present=int(theirs.sum()),
        ruled_out=int((~mine & ~theirs).sum()),
        n_absent=int((~theirs).sum()),
        ci=interval.ci,
        why=interval.why,
    )


def certain_values(paths: list[str], values: IntArray) -> dict[str, str]:
    """Return which label values call a film present or absent, by path; what is not mentioned counts as absent."""
    words = {Value.not_mentioned: _ABSENT, Value.negative: _ABSENT, Value.positive: _PRESENT}
    return {path: words[value] for path, value in zip(paths, values.tolist(), strict=True) if value in words}


def _certain(readings: pd.DataFrame, label: str) -> Iterator[tuple[str, str, int]]:
    chosen = readings[readings[label].isin([Verdict.absent, Verdict.present])]
    yield from zip(chosen["path"], chosen[READER_COLUMN], chosen[label], strict=True)


def _opposite(verdict: str) -> str:
    return {_PRESENT: _ABSENT, _ABSENT: _PRESENT}.get(verdict, "")


def _who(theirs: dict[str, str], verdict: str) -> str:
    names = [name for name, one in theirs.items() if one == verdict]
    return f"{verdict} by {', '.join(names)}"
