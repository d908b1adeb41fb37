"""What the threshold of a card does on the rows of one label."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cxr_core.evaluation.operating import OperatingPoint, Share
from cxr_core.evaluation.operating_json import counts_as_json, missing_shares, shares_as_json
from cxr_core.evaluation.results import bounds_as_json
from cxr_core.evaluation.uncertain import ShareAbove
from cxr_core.tasks.recalibrated import Recalibrated

SHARES = ("sensitivity", "specificity", "ppv", "npv", "f1")


@dataclass(frozen=True)
class JudgedCut:
    """What a threshold does on the rows of one label; `why` says why it has no threshold, or what its rule did.

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
        document: dict[str, Any] = {"threshold": self.threshold} | shares_as_json(point, SHARES) | counts_as_json(point)
        document |= {"n": None if point is None else point.n} | self._alarms(100, "per_100", ("alarms",))
        if self.recalibrated is not None:
            document["recalibrated"] = self.recalibrated.as_json()
        if self.moved is not None:
            document["score_shift"] = self.moved
        if self.called:
            document["called"] = {value: _called_as_json(one) for value, one in self.called.items()}
        few = {
            f"alarms_per_100{name.removeprefix('alarms')}": why
            for name, why in missing_shares(point, ["alarms"]).items()
        }
        return document | {"why": self.why | missing_shares(point, SHARES) | few}

    def alarms_a_day(self, images: int) -> dict[str, Any]:
        """Return alarms and false ones among so many images a day like those judged, under the names of scripts.

        Each is followed by its 95 % interval; what is undefined is None.
        """
        return self._alarms(images, "a_day", ("alarms", "false_alarms"))

    def _alarms(self, images: int, among: str, names: Iterable[str]) -> dict[str, Any]:
        document: dict[str, Any] = {}
        for name in names:
            share = Share(None, None) if self.point is None else getattr(self.point, name)
            document[f"{name}_{among}"] = None if share.value is None else images * share.value
            document[f"{name}_{among}_ci"] = None if share.ci is None else [images * end for end in share.ci]
        return document


def _called_as_json(one: ShareAbove) -> dict[str, Any]:
    return {"n": one.n, "n_called": one.n_above, "share": one.share, "share_ci": bounds_as_json(one.ci), "why": one.why}
