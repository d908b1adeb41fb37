"""Where the uncertain ones fall: how a model scores the rows on which it is not judged."""

from dataclasses import dataclass

from cxr_core.arrays import FloatArray
from cxr_core.evaluation.defined import FEWEST_FOR_A_SHARE
from cxr_core.evaluation.proportions import share_interval
from cxr_core.evaluation.results import Bounds


@dataclass(frozen=True)
class ShareAbove:
    """Of the `n` rows with one label value, `n_above` score at or above a threshold; no share when n is 0.

    `ci` is the 95 % interval by patient, None with the reason in `why` below 10 patients with such a row.
    """

    value: str
    n: int
    n_above: int
    share: float | None
    ci: Bounds | None
    why: str | None = None


def share_above(name: str, above: FloatArray, rows: FloatArray) -> ShareAbove:
    """Return how many of the rows with a value a threshold calls positive.

    If most uncertain rows fall on the positive side, the reports hedge on what the model takes for present.

    Args:
        name: of the value.
        above: (patients,) how many of each patient's rows with the value score at or above the threshold.
        rows: (patients,) how many rows with the value each patient has.
    """
    n, n_above = int(rows.sum()), int(above.sum())
    if not n:
        return ShareAbove(name, 0, 0, None, None, "there are no such images")
    interval = share_interval(above, rows, FEWEST_FOR_A_SHARE)
    return ShareAbove(name, n, n_above, n_above / n, interval.ci, interval.why)
