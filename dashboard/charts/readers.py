"""Readers as points on the ROC and precision-recall charts."""

from collections.abc import Sequence

from cxr_core.evaluation.readers import ReaderPoint
from dashboard.charts.curves import Point


def readers_on_roc(readers: Sequence[ReaderPoint]) -> list[Point]:
    """Return the readers that have both rates, at (1 - specificity, sensitivity)."""
    return [
        Point(1 - reader.specificity, reader.sensitivity, _words(reader))
        for reader in readers
        if reader.specificity is not None and reader.sensitivity is not None
    ]


def readers_on_pr(readers: Sequence[ReaderPoint]) -> list[Point]:
    """Return the readers that have both shares, at (recall, precision)."""
    return [
        Point(reader.sensitivity, reader.precision, _words(reader))
        for reader in readers
        if reader.precision is not None and reader.sensitivity is not None
    ]


def _words(reader: ReaderPoint) -> str:
    rates = (("sensitivity", reader.sensitivity), ("specificity", reader.specificity))
    said = ", ".join(f"{name} {rate:.3f}" for name, rate in rates if rate is not None)
    return f"{reader.reader} ({reader.set}): {said}, n = {reader.n:,}"
