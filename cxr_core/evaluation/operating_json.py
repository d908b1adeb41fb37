"""An operating point as scripts read it: counts, shares with their intervals, and why some are missing."""

from collections.abc import Iterable
from typing import Any

from cxr_core.evaluation.operating import OperatingPoint, Share
from cxr_core.evaluation.results import bounds_as_json


def counts_as_json(point: OperatingPoint | None) -> dict[str, int | None]:
    """Return the confusion matrix under the names that scripts rely on, None without a point."""
    return {name: None if point is None else getattr(point, name) for name in ("tp", "fp", "fn", "tn")}


def shares_as_json(point: OperatingPoint | None, names: Iterable[str]) -> dict[str, Any]:
    """Return shares of `SHARES` with their intervals under the names that scripts rely on, None without a point."""
    document: dict[str, Any] = {}
    for name in names:
        share = Share(None, None) if point is None else getattr(point, name)
        document |= {name: share.value, f"{name}_ci": bounds_as_json(share.ci)}
    return document


def missing_shares(point: OperatingPoint | None, names: Iterable[str]) -> dict[str, str]:
    """Return why shares of `SHARES` are undefined, and why those that are not lack an interval (`name_ci`)."""
    shares = {} if point is None else {name: getattr(point, name) for name in names}
    undefined = {name: share.why for name, share in shares.items() if share.why}
    return undefined | {
        f"{name}_ci": share.why_no_ci for name, share in shares.items() if share.why_no_ci and name not in undefined
    }
