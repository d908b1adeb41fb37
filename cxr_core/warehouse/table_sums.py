"""What predictions beside labels come to, in sums: for tables whose rows are too many to be fetched."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
import pyarrow as pa

from cxr_core.arrays import IntArray
from cxr_core.errors import TableError
from cxr_core.stamps import one_look
from cxr_core.warehouse import binned_questions as questions
from cxr_core.warehouse.checks import labels_of
from cxr_core.warehouse.sql_parts import bound_to
from cxr_core.warehouse.table_rows import TableRows
from cxr_core.words import counted

#: What is summed by patient, see `binned_questions`.
PATIENT_SUMS = (
    *("patients", "positive_patients", "negative_patients", "certain_patients"),
    *("squared_positives", "squared_negatives", "both_classes"),
    *("uu", "vv", "uv", "fourth", "ap", "ap_fourth"),
)

# Quantiles of so many rows cut the scores well enough: bins need not be of one size.
_ROWS_FOR_KNOTS = 2_000_000


@dataclass(frozen=True, eq=False)
class LabelSums:
    """One label of one model.

    `cuts` (k + 1,) are the knots at which its scores were cut; `counts` (bins + 1, 6) the rows of each bin, from the
    lowest scores up, and code, 0 to 3, 4 without a label value; the last bin is of rows without a prediction.
    `of_patients` are the `PATIENT_SUMS`; None where the label lacks a class.
    """

    cuts: tuple[float, ...]
    counts: IntArray
    of_patients: dict[str, float] | None


@dataclass(frozen=True, eq=False)
class SummedTables:
    """A model's predictions beside the labels of a data set.

    `n_images` have both, and `unmatched` predictions have no label row. No path stands twice.
    """

    scale: str
    labels: dict[str, LabelSums]
    n_images: int
    unmatched: int


class TableSums(TableRows):
    """Sums of tables; what it raises stands at `Warehouse`."""

    def predicted_rows(self, model: str, dataset: str, view: str | None, most: int) -> int:
        """Return how many rows a model's predictions of a data set have, or of all where these are `most` or fewer."""
        bound_to(view, dataset)  # an unknown name is told before anything is asked
        with one_look():
            location, runner = self._find(model)
            rows = runner.describe(location).rows
            if rows is not None and rows <= most:
                return rows
            found = self._ask_one(runner, location, lambda table: questions.rows_of_dataset(table, dataset, view))
        return int(found["n"][0].as_py())

    def sums(
        self, model: str, dataset: str, view: str | None = None, labels: Sequence[str] | None = None
    ) -> SummedTables | None:
        """Return what a model's predictions beside the labels come to, of some `labels` or of all that it has.

        They are joined as by `joined`. None where that cannot be done in one place: predictions that lie elsewhere than
        the labels, and those of studies, whose paths are no image's.

        Raises:
            TableError: a path stands twice, or a label value is no code.
        """
        with one_look():
            location, runner = self._find(model)
            if runner is not self._main:
                return None
            info = runner.describe(location)
            names = [name for name in labels_of(info, location) if labels is None or name in labels]
            share = min(1.0, _ROWS_FOR_KNOTS / max(info.rows or 1, 1))
            found = self._ask_one(runner, location, lambda table: questions.knots(table, names, dataset, view, share))
            cuts = {name: _rising(found, name) for name in names}
            places = self._places_of(dataset, self._label_places()) or self._label_places()
            (predictions,) = runner.named([location])
            query = questions.cells(predictions, self._labels_named(places), cuts, dataset, view)
            table = self._ask(runner, query, [location, *places])
        summed = _summed(table, info.scale, cuts, f"The labels and the predictions of {model} on {dataset}")
        if summed.n_images == 0:
            return None
        unstated = [name for name, label in summed.labels.items() if label.counts[:, questions.NO_LABEL].any()]
        self._check_nulls(unstated)
        return summed


def _rising(found: pa.Table, name: str) -> tuple[float, ...]:
    """Return two or more knots between which scores can be cut evenly."""
    knots = [found[f"{name}_{knot}"][0].as_py() for knot in questions.KNOTS]
    rising: list[float] = []
    for knot in sorted(one for one in knots if one is not None):
        if not rising or (knot > rising[-1] and isfinite(questions.EVEN_BINS / (knot - rising[-1]))):
            rising.append(knot)
    low = rising[0] if rising else 0.0
    return tuple(rising) if len(rising) > 1 else (low, low + max(1.0, abs(low)))


def _summed(table: pa.Table, scale: str, cuts: dict[str, tuple[float, ...]], what: str) -> SummedTables:
    cells, counts = table["cell"].to_numpy(), table["n"].to_numpy().astype(np.int64)
    only = {side: int(counts[cells == side].sum()) for side in (questions.ONLY_PREDICTED, questions.ONLY_LABELLED)}
    n_images = int(counts[(cells >= 0) & (cells < questions.CELLS)].sum())
    _check_unique(table, n_images, only, what)
    labels = {name: _label_sums(table, place, name, cuts[name]) for place, name in enumerate(cuts)}
    return SummedTables(scale, labels, n_images, only[questions.ONLY_PREDICTED])


def _check_unique(table: pa.Table, n_images: int, only: dict[int, int], what: str) -> None:
    """Raise where more pairs were joined than there are rows to be joined, on either side."""
    rows = {side: table[side][0].as_py() if table.num_rows else 0 for side in ("prediction_rows", "label_rows")}
    unpaired = (only[questions.ONLY_PREDICTED], only[questions.ONLY_LABELLED])
    too_many = max(n_images + lost - n for n, lost in zip(rows.values(), unpaired, strict=True))
    if too_many > 0:
        raise TableError(
            f"{what} must have each path once. Received paths more than once, by {counted(too_many, 'row')}. "
            "Remove the repeated rows from the table and try again."
        )


def _label_sums(table: pa.Table, place: int, name: str, cuts: tuple[float, ...]) -> LabelSums:
    cells = table["cell"].to_numpy()
    mine = np.flatnonzero((cells >= 0) & (cells // questions.CELLS == place))
    counts = np.zeros(questions.CELLS, dtype=np.int64)
    counts[cells[mine] - place * questions.CELLS] = table["n"].to_numpy()[mine]
    by_bin = counts.reshape(-1, questions.CODES)
    if by_bin[:, questions.STRANGE_LABEL].any():
        strange = counted(int(by_bin[:, questions.STRANGE_LABEL].sum()), "row")
        raise TableError(f"The column {name} must be 0 to 3. Received: another value in {strange}. Correct the table.")
    first = {column: table[column][int(mine[0])].as_py() if mine.size else None for column in PATIENT_SUMS}
    return LabelSums(cuts, by_bin[:, : questions.STRANGE_LABEL], _as_numbers(first))


def _as_numbers(sums: dict[str, Any]) -> dict[str, float] | None:
    return None if sums["uu"] is None else {name: float(value) for name, value in sums.items()}
