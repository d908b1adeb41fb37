"""What the threshold of a card does on the rows of one label."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cxr_core.evaluation.operating import OperatingPoint
from cxr_core.evaluation.operating_json import counts_as_json, missing_shares, shares_as_json
from cxr_core.evaluation.results import bounds_as_json
from cxr_core.evaluation.uncertain import ShareAbove
from cxr_core.tasks.recalibrated import Recalibrated

SHARES = ("sensitivity", "specificity", "ppv", "npv", "f1")


@dataclass(frozen=True)
class JudgedCut:
    """What a threshold does on the rows of one label; `why` says why there is no threshold, or no figure.

    `called` says of each label value how many of its images are called positive, where that was asked; `moved` how far
    the scores are from those that the threshold was chosen on, from 0 to 1 (`score_shift`).
    """

    threshold: float | None
    point: OperatingPoint | None
    why: dict[str, str] = field(default_factory=dict)
    recalibrated: Recalibrated | None = None
    called: dict[str, ShareAbove] = field(default_factory=dict)
    moved: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the cut under the names that scripts rely on."""
        return {**self._document}

    @cached_property
    def _document(self) -> dict[str, Any]:
        # A page shows a cut in several tables and downloads; its intervals are computed once.
        point = self.point
        n = None if point is None else point.n
        alarms: dict[str, Any] = {"n": n, "alarms_per_100": 100 * (point.tp + point.fp) / n if point and n else None}
        document = {"threshold": self.threshold} | shares_as_json(point, SHARES) | counts_as_json(point) | alarms
        if self.recalibrated is not None:
            document["recalibrated"] = self.recalibrated.as_json()
        if self.moved is not None:
            document["score_shift"] = self.moved
        if self.called:
            document["called"] = {value: _called_as_json(one) for value, one in self.called.items()}
        return document | {"why": self.why or missing_shares(point, SHARES)}

    def alarms_a_day(self, images: int) -> tuple[float, float] | None:
        """Return the alarms, and the false ones, among so many images a day like those judged; None without a point."""
        point = self.point
        if point is None or not point.n:
            return None
        return images * (point.tp + point.fp) / point.n, images * point.fp / point.n


def _called_as_json(one: ShareAbove) -> dict[str, Any]:
    return {"n": one.n, "n_called": one.n_above, "share": one.share, "share_ci": bounds_as_json(one.ci), "why": one.why}
