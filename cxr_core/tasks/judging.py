"""Who judges a model: the report's labels, the truth where it is known, or people who read the images."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cxr_core.errors import TableError, UsageError
from cxr_core.evaluation.verdicts import PRESENT, majority
from cxr_core.schema import REPORT, TRUTH, Value, dataset_code
from cxr_core.sources.registry import get_source
from cxr_core.sources.source import Source
from cxr_core.warehouse.answers import Joined
from cxr_core.warehouse.readings import Votes, truth_as_readings, votes_on
from cxr_core.warehouse.warehouse import Warehouse
from cxr_core.words import counted


@dataclass(frozen=True, eq=False)
class JudgedRows:
    """Joined rows with the judge's labels, and what the readers of the source say of these rows.

    `joined.frame` holds the rows on which the judge says anything, a row without a verdict on a label standing as
    uncertain there, so that it is left out as an uncertain one is; `no_verdict` counts the joined rows on which the
    judge says nothing at all. `votes` are those of each set of readings on the frame's rows; empty unless the judge is
    a set. `from_study` counts the images that were judged by a reading of their study.
    """

    joined: Joined
    judge: str
    no_verdict: int
    votes: dict[str, Votes]
    from_study: int = 0


def judges(source: Source) -> list[str]:
    """Return who can judge the models of a source: the report, the truth where it is known, each set of readings."""
    warehouse = source.warehouse()
    return [REPORT, *([TRUTH] if source.truth is not None else []), *warehouse.reading_sets()]


def joined_predictions(source_name: str, model: str, dataset: str, view: str | None, judge: str = REPORT) -> Joined:
    """Return a model's predictions beside what the judge says of the same images, each image once.

    A path that stands twice in either table would count twice (or as a pair of contradicting rows), so it is refused
    with its count; duplicates among predictions without labels touch no figure and are only counted.

    Raises:
        UnknownNameError: there is no such source, model with predictions, data set or view.
        TableError: a table is damaged, or a joined path occurs more than once.
        WarehouseError: the warehouse could not answer.
    """
    return judged_predictions(source_name, model, dataset, view, judge).joined


def judged_predictions(source_name: str, model: str, dataset: str, view: str | None, judge: str = REPORT) -> JudgedRows:
    """Return what `joined_predictions` returns, with what the readers of the source say beside it.

    Raises:
        UnknownNameError: there is no such source, model with predictions, data set, view or judge.
        UsageError: the judge says nothing on these images.
        TableError: a table is damaged, or a joined path occurs more than once.
        WarehouseError: the warehouse could not answer.
    """
    source = get_source(source_name)
    joined = source.warehouse().joined(model, dataset, view)
    if joined.duplicated:
        check_unique_paths(joined.frame, f"The labels and the predictions of {model} on {dataset}")
    return judged_by(source, joined, dataset, judge)


def check_unique_paths(frame: pd.DataFrame, what: str) -> None:
    """Raise `TableError` when a path is in more than one row of `frame`; `what` begins the sentence."""
    repeated = frame.loc[frame["path"].duplicated(), "path"].unique()
    if len(repeated):
        raise TableError(
            f"{what} must have each path once. Received {len(repeated)} paths more than once, first {repeated[0]!r}. "
            "Remove the repeated rows from the table and try again."
        )


def judged_by(source: Source, joined: Joined, dataset: str, judge: str) -> JudgedRows:
    """Return joined rows as a judge sees them; the report changes nothing.

    Raises:
        UnknownNameError: there is no such set of readings.
        UsageError: the source has no truth, or the judge says nothing on these rows.
    """
    if judge == REPORT:
        return JudgedRows(joined, judge, 0, {})
    warehouse = source.warehouse()
    rows = joined.frame.assign(dataset=dataset_code(dataset))
    if judge == TRUTH:
        votes, sets = votes_on(rows, _truth(warehouse, source, dataset)), {}
    else:
        votes = votes_on(rows, warehouse.readings(judge))
        others = [name for name in warehouse.reading_sets() if name != judge]
        sets = {judge: votes} | {name: votes_on(rows, warehouse.readings(name)) for name in others}
    said = votes.read
    if not said.any():
        raise UsageError(
            f"The judge {judge} says nothing on any of the predicted images of {dataset} "
            f"({counted(len(rows), 'image')}). "
            "Choose another judge, model or data set."
        )
    kept = {name: Votes(one.readers, one.codes[said], one.from_study[said]) for name, one in sets.items()}
    frame = _with_verdicts(joined.frame[said].reset_index(drop=True), votes, said, joined.labels)
    return JudgedRows(replace(joined, frame=frame), judge, int((~said).sum()), kept, int(votes.from_study.sum()))


def _truth(warehouse: Warehouse, source: Source, dataset: str) -> pd.DataFrame:
    truth = warehouse.truth()
    if truth is None:
        raise UsageError(
            f"Nobody knows the truth of the source {source.name}. Judge by the report or by a set of readings, or "
            "name a table of the truth in its definition."
        )
    return truth_as_readings(truth, warehouse.labels(dataset))


def _with_verdicts(frame: pd.DataFrame, votes: Votes, said: np.ndarray, labels: tuple[str, ...]) -> pd.DataFrame:
    codes = {}
    for label in labels:
        verdicts = majority(votes.of(label)[said])
        certain = np.where(verdicts == PRESENT, Value.positive, Value.negative)
        codes[f"true_{label}"] = np.where(verdicts < 0, Value.uncertain, certain).astype(np.int64)
    return frame.assign(**codes)
