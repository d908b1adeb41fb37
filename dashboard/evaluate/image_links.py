"""From the counts of an operating point to the images behind them."""

import pandas as pd

from cxr_core.evaluation.operating import OperatingPoint
from cxr_core.schema import REPORT, label_words
from cxr_core.tasks.evaluate import LabelCurves
from dashboard.evaluate.judged import Judged
from dashboard.shared.image_links import group_parameters, linked
from dashboard.shared.point_tables import confusion_table, uncertain_table

#: What stands in each cell of the confusion table, row by row.
_CELLS = (("true-positive", "false-negative"), ("false-positive", "true-negative"))


def linked_confusion(judged: Judged, point: OperatingPoint, scale: str) -> pd.DataFrame:
    """Return the confusion matrix; each count leads to its images."""
    table = confusion_table(point, scale)
    for row, groups in enumerate(_CELLS):
        for column, group in enumerate(groups):
            table.iat[row, column] = linked(str(table.iat[row, column]), parameters_of(judged, group, point.threshold))
    return table


def linked_uncertain(judged: Judged, curves: LabelCurves, point: OperatingPoint) -> pd.DataFrame:
    """Return how many images of each value are called positive; those in doubt and the blanks lead to their images."""
    table = uncertain_table(curves, point)
    leads = {("uncertain", "Images"): "uncertain-highest"}
    if judged.judge == REPORT:
        leads |= {("not_mentioned", "Images"): "blank", ("not_mentioned", "Called positive"): "blank-called-positive"}
    for (value, column), group in leads.items():
        row, cut = label_words(value), point.threshold if group == "blank-called-positive" else None
        if row in table.index:
            table.at[row, column] = linked(str(table.at[row, column]), parameters_of(judged, group, cut))
    return table


def parameters_of(judged: Judged, group: str, cut: float | None = None, first: int = 0) -> dict[str, str]:
    """Return the parameters of the address of a group of what is judged; see `group_parameters`."""
    where = (judged.dataset, judged.view, judged.judge)
    return group_parameters(judged.source.name, judged.label, group, judged.model.name, cut, *where, first)
