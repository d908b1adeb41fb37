"""Which policy is best on each label, as far as heads on frozen features tell: the landscape over u and w."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cxr_core.errors import UnknownNameError, UsageError
from cxr_core.evaluation.defined import ClassPatients
from cxr_core.evaluation.landscape import LabelLandscape, corrected_gains, label_landscape, nothing_ranked
from cxr_core.evaluation.results import LEVEL, bounds_as_json
from cxr_core.progress import each_told
from cxr_core.schema import LABELS, REPORT
from cxr_core.settings import settings
from cxr_core.sources.registry import ready_source
from cxr_core.tasks.head_training import JUDGED_ON
from cxr_core.tasks.judging import judged_by
from cxr_core.tasks.policy_search import Searched, default_model, searched
from cxr_core.training.head_grid import PAIRS, STEPS
from cxr_core.uncertainty import Policy, label_policy
from cxr_core.warehouse.answers import Joined


@dataclass(frozen=True, eq=False)
class PolicyLandscape:
    """The landscape of each label, judged on valid.

    `of_pairs[label]` are the heads of `PAIRS`, in their order, and `of_beside[label]` those of `BESIDE`. `common` is
    the pair of the largest mean AUC over the labels; `about` tells of features and heads.
    """

    source: str
    judge: str
    labels: dict[str, LabelLandscape]
    of_pairs: np.ndarray
    of_beside: np.ndarray
    common: tuple[float, float]
    about: dict[str, Any]
    no_verdict: int

    def best(self, label: str) -> tuple[float, float] | None:
        """Return the best (u, w) of a label, the first in the order of `PAIRS` of equals; None where nothing ranks."""
        found = self.labels[label]
        return None if found.best is None else PAIRS[int(self._on_pairs(label).argmax())]

    def roc_auc(self, label: str) -> np.ndarray:
        """Return the AUC of each pair as a square (u, w)."""
        return self._on_pairs(label).reshape(len(STEPS), len(STEPS))

    def alike(self, label: str) -> np.ndarray:
        """Return which pairs cannot be told from the best, as a square (u, w)."""
        return self.labels[label].alike[self.of_pairs].reshape(len(STEPS), len(STEPS))

    def is_told(self, label: str) -> bool:
        """Say whether the best of a label gains anything beyond chance, corrected for all labels."""
        gain = self.labels[label].gain
        return gain.p_corrected is not None and gain.p_corrected < LEVEL and (gain.value or 0.0) > 0

    def mix(self) -> Policy:
        """Return the suggested policy: the best pair where its gain is told from chance, else the common pair."""
        pairs = [self._mixed(label) for label in LABELS]
        return label_policy([u for u, _ in pairs], [w for _, w in pairs])

    def _mixed(self, label: str) -> tuple[float, float]:
        best = self.best(label) if label in self.labels and self.is_told(label) else None
        return best or self.common

    def _on_pairs(self, label: str) -> np.ndarray:
        return np.asarray(self.labels[label].roc_auc[self.of_pairs])

    def as_json(self) -> dict[str, Any]:
        """Return what `policies --json` prints."""
        told = {name: self.about.get(name) for name in _TOLD}
        return {
            "features": told | {"judge": self.judge, "judged_on": JUDGED_ON, "n_no_verdict": self.no_verdict},
            "grid": [row for label in self.labels for row in self._rows(label)],
            "best": {label: self._best_as_json(label) for label in self.labels},
        }

    def others_alike(self, label: str) -> int:
        """Return how many of the other pairs cannot be told from the best; 0 where there is no best."""
        return 0 if self.labels[label].best is None else int(self.alike(label).sum()) - 1

    def _rows(self, label: str) -> list[dict[str, Any]]:
        found = self.labels[label]
        rows = []
        for (u, w), head in zip(PAIRS, self.of_pairs, strict=True):
            area = None if found.best is None else float(found.roc_auc[head])
            precision = None if found.best is None else float(found.average_precision[head])
            rows.append({"label": label, "u": u, "w": w, "roc_auc": area, "average_precision": precision})
        return rows

    def _best_as_json(self, label: str) -> dict[str, Any]:
        u, w = self.best(label) or (None, None)
        found = self.labels[label]
        gain = found.gain
        others = self.others_alike(label)
        return {
            "u": u,
            "w": w,
            "gain": gain.value,
            "gain_ci": bounds_as_json(gain.ci),
            "p": gain.p,
            "p_corrected": gain.p_corrected,
            "gain_ci_corrected": bounds_as_json(gain.ci_corrected),
            "told": self.is_told(label),
            "alike": 0 if found.best is None else others + 1,
            "others_alike": others,
            "other_pairs": len(PAIRS) - 1,
            "n": found.n,
            "n_positive": found.n_positive,
            "why": gain.why,
        }


_TOLD = ("model", "policy", "view", "size", "n_train", "n_held_out", "n_judged", "run")


def policy_landscape(
    source_name: str, model: str = "", judge: str = REPORT, labels: tuple[str, ...] = (), confined: bool = True
) -> PolicyLandscape | None:
    """Return the landscape of what a search left; None where the search has not been done, or not on these labels.

    Args:
        source_name: the source.
        model: whose features; by default `policy_search.default_model`.
        judge: who judges on valid: `report`, `truth` or a set of readings.
        labels: which labels; by default all.
        confined: whether only what pages may read is read; the command line is not confined.

    Raises:
        UnknownNameError: there is no such source, model, judge or label.
        UsageError: the source has no records, or the judge says nothing on them.
        TableError, RecordError, ModelFileError: something is damaged.
    """
    check_labels(labels)
    found = searched(source_name, model or default_model(source_name), confined)
    return None if found is None else _judged(source_name, found, judge, labels or LABELS)


def check_labels(labels: tuple[str, ...]) -> None:
    """Raise `UnknownNameError` for the first that is no label."""
    for label in labels:
        if label not in LABELS:
            raise UnknownNameError("label", label, LABELS)


def _judged(source_name: str, found: Searched, judge: str, labels: tuple[str, ...]) -> PolicyLandscape:
    source = ready_source(source_name)
    rows = source.warehouse().labels(JUDGED_ON, found.about["view"])
    images = found.images[["path"]].assign(row=np.arange(len(found.images))).drop_duplicates("path")
    frame = rows.drop_duplicates("path").merge(images, on="path").rename(columns={one: f"true_{one}" for one in LABELS})
    if frame.empty:
        raise UsageError(f"No label row of {JUDGED_ON} belongs to an image of the records, so nothing can be judged.")
    judged = judged_by(source, Joined(frame, "logit", LABELS, len(found.images), 0, 0), JUDGED_ON, judge)
    place = judged.joined.frame["row"].to_numpy(np.int64)
    patients = judged.joined.frame["patient"].to_numpy(np.int64)
    minimum = settings().minimum_positives

    def of_label(label: str) -> LabelLandscape:
        values = judged.joined.frame[f"true_{label}"].to_numpy()
        if why := found.about["labels"][label]["why"]:
            return nothing_ranked(0, 0, ClassPatients(0, 0, 0), why)
        scores = found.scores[LABELS.index(label)][:, place]
        return label_landscape(values, scores, patients, found.grid.reference, minimum)

    each = each_told("Labels", of_label, labels)
    gains = corrected_gains([one.gain for one in each])
    judged_labels = {label: replace(one, gain=gain) for label, one, gain in zip(labels, each, gains, strict=True)}
    return PolicyLandscape(
        source_name,
        judge,
        judged_labels,
        found.grid.of_pairs,
        found.grid.of_beside,
        _common(judged_labels, found.grid.of_pairs),
        found.about,
        judged.no_verdict,
    )


def _common(labels: dict[str, LabelLandscape], of_pairs: np.ndarray) -> tuple[float, float]:
    areas = [found.roc_auc[of_pairs] for found in labels.values() if found.best is not None]
    return PAIRS[int(np.mean(areas, axis=0).argmax())] if areas else (0.0, 0.0)
