"""What a warehouse hands back beside plain frames."""

import time
from dataclasses import dataclass, field
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class AskedQuery:
    """How a question was answered: the SQL that ran and its time in seconds.

    For BigQuery also the bytes that the dry run before it said it would read, those that were billed, and whether it
    came from BigQuery's own cache (and so cost nothing); None and False for a local source. `asked` is when, in seconds
    since 1970; `kept` says that no query ran now, because this one had been asked before. `counted` says how images
    were counted where that is a choice: `COUNT(DISTINCT path)`, or `COUNT(*)` where no path stands twice.
    """

    question: str
    sql: str
    parameters: dict[str, int]
    seconds: float
    bytes_billed: int | None = None
    cached: bool = False
    bytes_estimated: int | None = None
    counted: str = ""
    asked: float = field(default_factory=time.time)
    kept: bool = False


@dataclass(frozen=True)
class PredictionTable:
    """What a prediction table holds: its labels and data sets in schema order, and where it lies."""

    model: str
    scale: str
    labels: tuple[str, ...]
    images: int
    datasets: tuple[str, ...]
    location: str
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Joined:
    """Predictions beside the labels of the same images.

    `frame` has `path`, `patient`, `study`, `image`, `view` (int64; view is -1 for a study row of no single view), then
    `predicted_<label>` (float64, on the stored `scale`) and `true_<label>` (int64, 0 to 3; -1 where the table says
    nothing) for each of `labels`, sorted by path. Of the `n_predictions` paths with predictions, `unmatched` have no
    label row, and `duplicated` stand more than once in either table (and so more than once in `frame`). Study rows are
    joined by patient and study instead (see `studies`); `disagreeing` counts the studies whose images state different
    codes of a label, of which the largest stands here.
    """

    frame: pd.DataFrame
    scale: str
    labels: tuple[str, ...]
    n_predictions: int
    unmatched: int
    duplicated: int
    disagreeing: int = 0
