"""The answer of the Evaluate page in a sentence."""

from cxr_core.evaluation.results import BOOTSTRAP, FORMULA
from cxr_core.schema import label_words
from cxr_core.tasks.evaluate import Evaluation
from dashboard.shared.formatting import with_interval

#: How intervals came about, by `ci_method`.
INTERVALS_BY = {
    FORMULA: "Intervals by formula, from what each patient adds (Obuchowski 1997 for the AUC).",
    BOOTSTRAP: "Intervals from resampled patients (cluster bootstrap).",
}


def answer(result: Evaluation, label: str) -> str:
    """Return the title: the AUC of the label, or why there is none."""
    words = label_words(label)
    figures = result.labels.get(label)
    if figures is None:
        return f"{words}: not predicted by this model"
    if figures.roc_auc is None:
        return f"{words}: no AUC, {figures.why.get('roc_auc', 'it is undefined')}"
    return f"{words}: AUC {with_interval(figures.roc_auc, figures.roc_auc_ci)}"
