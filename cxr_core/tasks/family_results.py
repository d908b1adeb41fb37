"""The trainings of a family, a sweep or a repeated training: which they are, and what they have found so far."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from cxr_core.runs import service
from cxr_core.runs.store import COMPLETED, Run
from cxr_core.schema import LABELS
from cxr_core.training.options import TrainOptions
from cxr_core.uncertainty import uniform_policy

SWEEP, REPEAT = "sweep", "repeat"
FAMILY_KINDS = (SWEEP, REPEAT)


@dataclass(frozen=True)
class PlannedTraining:
    """One training of a family, planned: its ID, its model, and what makes it differ from the others."""

    run: str
    name: str
    seed: int
    u: float | None = None
    w: float | None = None

    def options(self, shared: TrainOptions) -> TrainOptions:
        """Return the options of this training."""
        own = replace(shared, seed=self.seed, name=self.name)
        return own if self.u is None or self.w is None else replace(own, policy=uniform_policy(self.u, self.w))


@dataclass(frozen=True)
class SeedSpread:
    """Mean and standard deviation (n - 1) of a figure over n trainings; `sd` is None for one, all for none."""

    mean: float | None
    sd: float | None
    n: int

    @staticmethod
    def of(values: Sequence[float | None]) -> "SeedSpread":
        """Return the spread of the values that are known."""
        known = [value for value in values if value is not None]
        mean = statistics.fmean(known) if known else None
        return SeedSpread(mean, statistics.stdev(known) if len(known) > 1 else None, len(known))

    def as_json(self) -> dict[str, Any]:
        """Return `{"mean","sd","n"}`."""
        return {"mean": self.mean, "sd": self.sd, "n": self.n}


@dataclass(frozen=True)
class SweepCell:
    """One (u, w) of a sweep: AUC on valid of the best epoch, the mean over labels and each label, over its seeds."""

    u: float
    w: float
    mean: SeedSpread
    labels: dict[str, SeedSpread]


def members_of(run: Run) -> list[PlannedTraining]:
    """Return the planned trainings of a family; none for a run of another kind."""
    return [PlannedTraining(**one) for one in run.config.get("children", [])] if run.kind in FAMILY_KINDS else []


def sweep_cells(run: Run) -> list[SweepCell]:
    """Return what a sweep has found so far, one cell for each (u, w) of its grid."""
    found = {child.run: child for child in service.children(run.run)}
    cells: dict[tuple[float, float], list[tuple[float | None, dict[str, float]]]] = {}
    for member in members_of(run):
        if member.u is not None and member.w is not None:
            cell = cells.setdefault((member.u, member.w), [])
            if (child := found.get(member.run)) is not None:
                cell.append(_best_aucs(child))
    return [_cell(u, w, aucs) for (u, w), aucs in cells.items()]


def _cell(u: float, w: float, aucs: Sequence[tuple[float | None, dict[str, float]]]) -> SweepCell:
    labels = {label: SeedSpread.of([one.get(label) for _, one in aucs]) for label in LABELS}
    return SweepCell(u, w, SeedSpread.of([mean for mean, _ in aucs]), labels)


def family_auc(run: Run) -> SeedSpread:
    """Return the spread of the best validation AUC over the completed trainings of a family."""
    return SeedSpread.of([_best_auc(child) for child in service.children(run.run) if child.status == COMPLETED])


def _best_auc(child: Run) -> float | None:
    value = (child.result or {}).get("val_auc")
    return float(value) if isinstance(value, int | float) else None


def _best_aucs(child: Run) -> tuple[float | None, dict[str, float]]:
    """Return the mean and the per-label AUC of a training's best epoch so far."""
    metrics = service.metric_columns(child.run)
    place = metrics.best("val_auc")
    if place is None:
        return None, {}
    aucs = {label: metrics.column(f"val_auc_labels.{number}")[place] for number, label in enumerate(LABELS)}
    labels = {label: float(auc) for label, auc in aucs.items() if not math.isnan(auc)}
    return float(metrics.column("val_auc")[place]), labels
