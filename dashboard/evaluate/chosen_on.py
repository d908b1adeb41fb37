"""On which images a rule chooses the cut: not those that happen to be looked at, so that it stays on other ones.

Models are tuned on valid, so a cut is chosen there too, and kept when test is judged; another choice is a step of its
own. It is chosen on all views that the model predicts.
"""

from dataclasses import replace

from cxr_core.schema import REPORT, label_words
from dashboard.evaluate.judged import Judged
from dashboard.shared import help_texts
from dashboard.shared.choices import Options, pick_one


def chosen_on_input(judged: Judged) -> Judged:
    """Show on which data set the cut is chosen, where there are several, and return its images."""
    datasets = judged.model.predictions
    # Readers seldom judge more than one data set.
    usual = "valid" if judged.judge == REPORT else judged.dataset
    chosen = usual if usual in datasets else datasets[0]
    if len(datasets) > 1:
        options = Options(datasets, "cut-from", label_words)
        chosen = pick_one("Choose the cut on", options, chosen, help_texts.CHOSEN_ON, width="content")
    return replace(judged, dataset=chosen, view=None)
