"""From the counts of an operating point to the images behind them."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd

from cxr_core.arrays import FloatArray
from cxr_core.evaluation.operating import OperatingPoint
from cxr_core.schema import REPORT, label_words
from cxr_core.tasks.evaluate import LabelCurves
from dashboard.charts.details import ScoreLeads
from dashboard.evaluate.judged import Judged
from dashboard.shared.image_links import group_parameters, images_address, linked
from dashboard.shared.point_tables import confusion_table, uncertain_table

#: What stands in each cell of the confusion table, row by row.
_CELLS = (("true-positive", "false-negative"), ("false-positive", "true-negative"))
#: The group of each label value; what the report leaves blank is the report's alone, whoever judges.
_OF_VALUE = {"negative": "negative", "uncertain": "uncertain-highest", "positive": "positive"}
#: Where the images with the highest score stand last.
_RISING = ("positive",)


def linked_confusion(judged: Judged, point: OperatingPoint, scale: str) -> pd.DataFrame:
    """Return the confusion matrix; each count leads to its images."""
    table = confusion_table(point, scale)
    for row, groups in enumerate(_CELLS):
        for column, group in enumerate(groups):
            table.iat[row, column] = linked(str(table.iat[row, column]), parameters_of(judged, group, point.threshold))
    return table


def linked_uncertain(judged: Judged, curves: LabelCurves, point: OperatingPoint) -> pd.DataFrame:
    """Return how many images of each value are called positive; those of each value lead to their images."""
    table = uncertain_table(curves, point)
    leads = {(value, "Images"): group for value, group in _OF_VALUE.items()}
    if judged.judge == REPORT:
        leads |= {("not_mentioned", "Images"): "blank", ("not_mentioned", "Called positive"): "blank-called-positive"}
    for (value, column), group in leads.items():
        row, cut = label_words(value), point.threshold if group == "blank-called-positive" else None
        if row in table.index:
            table.at[row, column] = linked(str(table.at[row, column]), parameters_of(judged, group, cut))
    return table


def leads_of(judged: Judged, scores: Mapping[str, FloatArray]) -> ScoreLeads:
    """Return where the points of the spread of scores lead; `scores` are those of the images of each value."""
    return partial(_images_of_bin, judged, scores)


def _images_of_bin(judged: Judged, scores: Mapping[str, FloatArray], value: str, low: float, high: float) -> str:
    """Return the address of the page of the wall on which the images of a value with scores from `low` on begin."""
    group = (_OF_VALUE | {"not_mentioned": "blank"})[value]
    before = scores[value] < low if group in _RISING else scores[value] >= high
    return images_address(parameters_of(judged, group, first=int(np.count_nonzero(before))))


def parameters_of(judged: Judged, group: str, cut: float | None = None, first: int = 0) -> dict[str, str]:
    """Return the parameters of the address of a group of what is judged; see `group_parameters`."""
    where = (judged.dataset, judged.view, judged.judge)
    return group_parameters(judged.source.name, judged.label, group, judged.model.name, cut, *where, first)
