"""What is in the label tables: how the four values spread over the 14 labels, and what a policy makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxr_core.errors import UsageError
from cxr_core.schema import DATASETS, LABELS, VALUES, dataset_code, view_code
from cxr_core.sources.registry import ready_source
from cxr_core.sources.source import Source

# The pages show it, and know no warehouse.
from cxr_core.warehouse.answers import AskedQuery as AskedQuery  # noqa: PLC0414


@dataclass(frozen=True)
class LabelOverview:
    """What the Labels page shows of one source and view.

    `distribution` has `label`, `value`, `dataset` and `images` (14 x 4 x the `datasets` present); `counts` has
    `dataset`, `view` (also `all`), `images`, `studies` and `patients` for every view. `more_uncertain` are the labels
    with more uncertain than positive in training (else in the first data set present). `answers` say by which SQL.
    """

    source: str
    view: str | None
    synthetic: bool
    distribution: pd.DataFrame
    counts: pd.DataFrame
    datasets: tuple[str, ...]
    more_uncertain: tuple[str, ...]
    answers: tuple[AskedQuery, ...]


def distribution(source_name: str, view: str | None = "frontal") -> pd.DataFrame:
    """Return how many images have each value of each label in each data set.

    Args:
        source_name: a source.
        view: `frontal`, `lateral` or `other`; None for all.

    Returns:
        `label`, `value`, `dataset` (str) and `images` (int64), zeros included, in the order of the schema.

    Raises:
        UnknownNameError: there is no such source or view.
        UsageError: the source is the demo, which is not built yet, or has no label table.
    """
    return _ready(source_name, view).warehouse().distribution(view)


def label_overview(source_name: str, view: str | None = "frontal") -> LabelOverview:
    """Return what is in the label tables of a source; raises as `distribution` does."""
    source = _ready(source_name, view)
    warehouse = source.warehouse()
    # The counts come first: they show whether a path stands twice, and so how images have to be counted.
    counts = warehouse.counts()
    table = warehouse.distribution(view)
    asked = (warehouse.last_answer(question) for question in ("distribution", "counts"))
    datasets = present_datasets(table)
    return LabelOverview(
        source=source.name,
        view=view,
        synthetic=source.synthetic,
        distribution=table,
        counts=counts,
        datasets=datasets,
        more_uncertain=uncertain_outnumbers_positive(table, datasets[0]) if datasets else (),
        answers=tuple(answer for answer in asked if answer is not None),
    )


def unit_distribution(source_name: str, view: str | None = "frontal", unit: str = "studies") -> pd.DataFrame:
    """Return `distribution` with studies or patients counted in place of images; the last column has that name.

    A study's (a patient's) value is the largest code among its images of the view.

    Raises:
        UnknownNameError: there is no such source, view or unit.
        UsageError: the source is the demo, which is not built yet, or has no label table.
    """
    return _ready(source_name, view).warehouse().grouped_distribution(unit, view)


def shared_patients(source_name: str) -> int | None:
    """Return how many patients stand in more than one data set; None for BigQuery, which would bill the question."""
    source = _ready(source_name, None)
    return None if source.kind == "bigquery" else source.warehouse().shared_patients()


def cooccurrence(
    source_name: str, view: str | None = "frontal", value: str = "positive", dataset: str | None = None
) -> pd.DataFrame:
    """Return the 14 x 14 square of the number of images on which two labels both have `value`."""
    if dataset is not None:
        dataset_code(dataset)
    return _ready(source_name, view).warehouse().cooccurrence(value, view, dataset)


def present_datasets(table: pd.DataFrame) -> tuple[str, ...]:
    """Return the data sets of a distribution, in schema order."""
    found = set(table["dataset"])
    return tuple(name for name in DATASETS if name in found)


def uncertain_outnumbers_positive(table: pd.DataFrame, dataset: str) -> tuple[str, ...]:
    """Return the labels of which a distribution has more uncertain than positive images in a data set."""
    images = value_counts(table, dataset)
    more = images["uncertain"] > images["positive"]
    return tuple(label for label in LABELS if more[label])


Numbers = float | Sequence[float]


def positive_rates(
    table: pd.DataFrame,
    u: Numbers,
    w: Numbers,
    dataset: str = "train",
    blank_u: Numbers = 0.0,
    blank_w: Numbers = 1.0,
) -> pd.Series:
    """Return the share of positive that the loss sees for each label: sum(w_i t_i) / sum(w_i) over the images.

    Negative and positive images have weight 1 and target 0 or 1, uncertain ones weight `w` and target `u`, and those
    whose report does not mention the label `blank_w` and `blank_u`.

    Args:
        table: a distribution.
        u: target of uncertain labels in [0, 1], one for all or one a label in schema order.
        w: their weight in [0, 1], likewise.
        dataset: the data set to count in.
        blank_u: target of labels that are not mentioned, likewise.
        blank_w: their weight, likewise.

    Returns:
        14 rates in [0, 1] by label; NaN where no image has weight.
    """
    images = value_counts(table, dataset)
    uncertain = _per_label("w", w) * images["uncertain"]
    blank = _per_label("blank_w", blank_w) * images["not_mentioned"]
    total = blank + images["negative"] + images["positive"] + uncertain
    present = images["positive"] + _per_label("u", u) * uncertain + _per_label("blank_u", blank_u) * blank
    return (present / total.where(total > 0)).rename("rate")


@dataclass(frozen=True)
class Pair:
    """Of the `images` on which `label` has a value, the `share` on which `other` has it too."""

    label: str
    other: str
    images: int
    share: float


def conditional_shares(images: pd.DataFrame) -> pd.DataFrame:
    """Return each row of a co-occurrence square as shares of its diagonal, P(column | row).

    The diagonal itself is NaN, and so is the row of a label that has no image.
    """
    square = images.to_numpy().astype(np.float64)
    own = np.diag(square)[:, None]
    share = np.divide(square, own, out=np.full(square.shape, np.nan), where=own > 0)
    np.fill_diagonal(share, np.nan)
    return pd.DataFrame(share, index=images.index, columns=images.columns)


def closest_pair(images: pd.DataFrame) -> Pair | None:
    """Return the pair of labels with the largest share in `conditional_shares`; None where no two occur together."""
    shares = np.nan_to_num(conditional_shares(images).to_numpy(), nan=0.0)
    row, column = (int(place) for place in np.unravel_index(shares.argmax(), shares.shape))
    if shares[row, column] == 0:
        return None
    return Pair(LABELS[row], LABELS[column], int(images.to_numpy()[row, row]), float(shares[row, column]))


def value_counts(table: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """Return what a distribution counts in one data set as 14 labels x 4 values; zeros where it is not present."""
    rows = table[table["dataset"] == dataset]
    square = rows.pivot(index="label", columns="value", values=table.columns[-1])
    return square.reindex(index=list(LABELS), columns=list(VALUES), fill_value=0)


def _ready(source_name: str, view: str | None) -> Source:
    if view is not None:
        view_code(view)
    return ready_source(source_name)


def _per_label(letter: str, numbers: Numbers) -> np.ndarray:
    values = np.broadcast_to(np.asarray(numbers, dtype=np.float64), len(LABELS))
    if not ((values >= 0) & (values <= 1)).all():
        raise UsageError(f"{letter} must be between 0 and 1. Received: {numbers!r}.")
    return values
