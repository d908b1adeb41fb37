"""Who is judged, and who is left out on the way and why: images, studies and patients from the tables."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from cxr_core.arrays import BoolArray
from cxr_core.schema import REPORT, VIEWS, label_words
from cxr_core.sources.registry import get_source
from cxr_core.tasks.judging import joined_predictions

_STUDY = ["patient", "study"]


@dataclass(frozen=True)
class Headcount:
    """How many images, of how many studies and patients."""

    images: int
    studies: int
    patients: int

    def as_json(self) -> dict[str, int]:
        """Return the counts under the names that scripts rely on."""
        return {"images": self.images, "studies": self.studies, "patients": self.patients}


@dataclass(frozen=True)
class FlowStep:
    """What is there at one step, and what was left out before the next, each part with its reason."""

    what: str
    there: Headcount
    left_out: tuple[tuple[str, Headcount], ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """Return the step under the names that scripts rely on."""
        out = [{"why": why} | counted.as_json() for why, counted in self.left_out]
        return {"what": self.what} | self.there.as_json() | {"left_out": out}


def participants(
    source_name: str, model: str, dataset: str = "valid", view: str | None = None, judge: str = REPORT
) -> tuple[FlowStep, ...]:
    """Return the way from all labelled images of a data set to those on which a model is judged.

    What is left out label by label, as uncertain, is not here: `evaluate` counts it.

    Raises:
        UnknownNameError, UsageError, TableError, WarehouseError: as `evaluate` raises.
    """
    rows = get_source(source_name).warehouse().labels(dataset).drop_duplicates("path")
    predicted = joined_predictions(source_name, model, dataset, view).frame
    judged = predicted if judge == REPORT else joined_predictions(source_name, model, dataset, view, judge).frame
    has_prediction, is_judged = _in(rows, predicted), _in(rows, judged)
    steps = [FlowStep("Labelled", headcount(rows), tuple(_without_prediction(rows, has_prediction, view)))]
    if judge != REPORT:
        silent = has_prediction & ~is_judged
        out = ((f"{judge} says nothing", headcount(rows[silent])),) if silent.any() else ()
        steps.append(FlowStep("Predicted", headcount(rows[has_prediction]), out))
    steps.append(FlowStep("Judged", headcount(rows[is_judged])))
    return tuple(steps)


def headcount(rows: pd.DataFrame) -> Headcount:
    """Return how many images, studies and patients rows of a label table are of."""
    return Headcount(len(rows), len(rows[_STUDY].drop_duplicates()), int(rows["patient"].nunique()))


def _in(rows: pd.DataFrame, frame: pd.DataFrame) -> BoolArray:
    """Return which rows are in a joined frame: by path, or where it is of whole studies by study."""
    if len(frame) and (frame["image"] == 0).all():
        studies = pd.MultiIndex.from_frame(frame[_STUDY])
        return pd.MultiIndex.from_frame(rows[_STUDY]).isin(studies)
    found: BoolArray = rows["path"].isin(frame["path"]).to_numpy()
    return found


def _without_prediction(rows: pd.DataFrame, has: BoolArray, view: str | None) -> Iterator[tuple[str, Headcount]]:
    """Yield what has no prediction, apart by views that are not asked for or of which nothing is predicted."""
    codes = rows["view"].to_numpy()
    rest = ~has
    for code, name in enumerate(VIEWS):
        here = codes == code
        unwanted = view is not None and name != view
        if here.any() and (unwanted or not has[here].any()):
            yield f"{label_words(name)} view", headcount(rows[here & rest])
            rest = rest & ~here
    if rest.any():
        yield "No prediction", headcount(rows[rest])
