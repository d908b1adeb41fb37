"""Whom does a model serve worse? The figures of every label in groups of images, at the thresholds of a card."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cxr_core.arrays import BoolArray, IntArray
from cxr_core.evaluation.binary import CertainRows, certain_rows
from cxr_core.evaluation.calibration import why_no_probabilities
from cxr_core.evaluation.calibration_fit import FIGURES as CALIBRATION_FIGURES
from cxr_core.evaluation.calibration_fit import CalibrationFit, calibration_fit
from cxr_core.evaluation.gaps import FIGURES, GapMatrix, LabelAtCut, gap_matrix
from cxr_core.evaluation.group_areas import AreaGaps, area_gaps
from cxr_core.evaluation.probabilities import logit
from cxr_core.evaluation.resamples import patient_clusters
from cxr_core.schema import REPORT
from cxr_core.settings import settings
from cxr_core.tasks.groups import group_masks
from cxr_core.tasks.threshold_cards import Card, read_card, rows_for_card
from cxr_core.warehouse.answers import Joined

__all__ = ["FIGURES", "Gaps", "gaps", "gaps_at"]


@dataclass(frozen=True)
class Gaps:
    """The gaps of a model on one data set: `by` names the columns, `card` the thresholds."""

    model: str
    source: str
    dataset: str
    view: str | None
    judge: str
    card: str
    by: tuple[str, ...]
    matrix: GapMatrix
    areas: AreaGaps
    calibration: dict[str, dict[str, CalibrationFit]]

    def as_json(self) -> dict[str, Any]:
        """Return what `gaps --json` prints."""
        return {
            "model": self.model,
            "source": self.source,
            "dataset": self.dataset,
            "view": self.view,
            "judge": self.judge,
            "card": self.card,
            "by": ",".join(self.by),
            "groups": list(self.matrix.groups),
            "tests": self.matrix.tests,
            "labels": {
                label: {group: cell.as_json() | self._ranked(label, group) for group, cell in cells.items()}
                for label, cells in self.matrix.labels.items()
            },
        }

    def _ranked(self, label: str, group: str) -> dict[str, Any]:
        """Return the AUC of a group beside the rest's, and its calibration."""
        fit = self.calibration[label][group].as_json()
        return {"area": self.areas[label][group].as_json(), "calibration": fit}


def gaps(
    source_name: str,
    model: str,
    by: Sequence[str],
    card: str,
    dataset: str = "valid",
    view: str | None = None,
    judge: str = REPORT,
) -> Gaps:
    """Return sensitivity and specificity of each label in each group, and the gap of each to all other images.

    Args:
        source_name: the source.
        model: a model with predictions.
        by: columns, each one's groups beside those of the others; `sex+race` crosses two.
        card: a card of the model, whose thresholds cut.
        dataset: the data set that is judged.
        view: only images of this view.
        judge: who says what is positive: `report`, `truth` or a set of readings.

    Raises:
        UnknownNameError: there is no such source, model, card, data set, view, judge or column.
        UsageError: the card is of another model, or of scores on another scale.
        TableError: a table is damaged, or a path occurs more than once.
        WarehouseError: the warehouse could not answer.
    """
    return gaps_at(read_card(source_name, card), source_name, model, by, dataset, view, judge)


def gaps_at(
    kept: Card, source_name: str, model: str, by: Sequence[str], dataset: str, view: str | None, judge: str
) -> Gaps:
    """Return the gaps at the thresholds of a card, which need not be kept; raises as `gaps`."""
    joined = rows_for_card(kept, source_name, model, dataset, view, judge)
    groups = group_masks(source_name, joined, by, dataset)
    clusters, _ = patient_clusters(joined.frame["patient"].to_numpy())
    labels = labels_at(joined, kept)
    minimum = settings().minimum_positives
    matrix = gap_matrix(labels, groups, clusters, minimum)
    certain = {label: cut.rows for label, cut in labels.items()}
    areas = area_gaps(certain, groups, clusters, minimum)
    fits = {
        label: {group: _fit(one, mask[one.mask], clusters[one.mask], joined.scale) for group, mask in groups.items()}
        for label, one in certain.items()
    }
    return Gaps(model, source_name, dataset, view, judge, kept.card, tuple(by), matrix, areas, fits)


def labels_at(joined: Joined, kept: Card) -> dict[str, LabelAtCut]:
    """Return the certain rows of each label beside the threshold of a card."""
    labels = {}
    for label in joined.labels:
        rows = certain_rows(joined.frame[f"true_{label}"], joined.frame[f"predicted_{label}"])
        threshold = kept.thresholds.get(label)
        labels[label] = LabelAtCut(rows, threshold, kept.why_no_threshold(label) if threshold is None else None)
    return labels


def _fit(rows: CertainRows, inside: BoolArray, clusters: IntArray, scale: str) -> CalibrationFit:
    """Return slope, intercept and O:E of a label in one group."""
    scores = rows.scores[inside]
    why = rows.why or why_no_probabilities(scores, scale)
    if why:
        return CalibrationFit(why=dict.fromkeys(CALIBRATION_FIGURES, why))
    logits = scores if scale == "logit" else logit(scores)
    return calibration_fit(rows.y[inside], logits, clusters[inside], settings().minimum_positives)
