"""The curves of several models on one label, each in its own style."""

from cxr_core.tasks.evaluate import LabelCurves
from dashboard.charts.curves import DrawnCurve, drawn_pr, drawn_roc
from dashboard.charts.palette import Palette, model_style


def model_curves(
    curves: list[LabelCurves], ensembles: set[str], colors: Palette
) -> tuple[list[DrawnCurve], list[DrawnCurve], float | None]:
    """Return the ROC and precision-recall curves to be drawn, and their prevalence where it is the same for all."""
    styles = {one.model: model_style(one.model, one.model in ensembles, colors) for one in curves}
    roc = [drawn_roc(one, one.roc, styles[one.model]) for one in curves if one.roc]
    pr = [drawn_pr(one, one.pr, styles[one.model]) for one in curves if one.pr]
    prevalences = {one.prevalence for one in curves}
    return roc, pr, prevalences.pop() if len(prevalences) == 1 else None
