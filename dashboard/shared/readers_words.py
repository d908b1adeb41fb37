"""Readers beside a model in words and as a table, as the Evaluate page and its report show them."""

from collections.abc import Sequence

import pandas as pd

from cxr_core.evaluation.reader_differences import ReaderDifference
from cxr_core.evaluation.readers import ReaderPoint
from cxr_core.tasks.reader_differences import OfReaders
from cxr_core.words import counted
from dashboard.shared.formatting import NOTHING, count, signed, three_digits


def readers_answer(readers: Sequence[ReaderPoint]) -> str:
    """Return in a sentence how many readers the model's ROC curve runs above; "" where none can be placed."""
    placed = [reader for reader in readers if reader.under_roc is not None]
    if not placed:
        return ""
    under = sum(bool(reader.under_roc) for reader in placed)
    return (
        f"{under} of {counted(len(placed), 'reader')} lie under the ROC curve. A reader of the judging set is judged "
        "by the majority of its others, a reader of another set by the judge."
    )


def readers_table(readers: Sequence[ReaderPoint], found: OfReaders) -> pd.DataFrame:
    """Return each reader's point, and the model beside it at the reader's specificity, in words."""
    rows = {f"{point.reader} ({point.set})": _reader_row(point, found[point.set, point.reader]) for point in readers}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("Reader")


def _reader_row(point: ReaderPoint, beside: ReaderDifference) -> dict[str, str]:
    difference = f"{NOTHING} ({beside.why})"
    if beside.difference is not None:
        low, high = beside.ci or (None, None)
        interval = beside.why if low is None else f"95 %: {signed(low)} to {signed(high)}"
        difference = f"{signed(beside.difference)} ({interval})"
    under = {None: NOTHING, True: "below the curve", False: "on or above it"}
    return {
        "Specificity": three_digits(point.specificity),
        "Sensitivity": three_digits(point.sensitivity),
        "Model's sensitivity there": three_digits(beside.model_sensitivity),
        "Difference": difference,
        "ROC": under[point.under_roc],
        "n": count(beside.n),
    }


def flat_readers(readers: Sequence[ReaderPoint], found: OfReaders) -> pd.DataFrame:
    """Return the readers' points and the differences as numbers, an interval in two columns."""
    rows = []
    for point in readers:
        row = point.as_json() | found[point.set, point.reader].as_json()
        row["low"], row["high"] = row.pop("difference_ci") or (None, None)
        rows.append(row | {"why": "; ".join(point.why.values())})
    return pd.DataFrame(rows)
