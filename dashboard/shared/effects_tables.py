"""What u and w did to the predictions, in words, as the Compare page and its report show it."""

import pandas as pd

from cxr_core.evaluation.effects import Effects
from cxr_core.evaluation.placement import Placement
from cxr_core.words import counted
from dashboard.shared.formatting import NOTHING, signed, with_interval

PLACEMENTS = {
    "Scores above a negative": "above_negatives",
    "Scores below a positive": "below_positives",
    "Called positive": "called_positive",
    "Really positive": "really_positive",
    "AUC for the truth": "auc_really",
}


def effects_answer(found: Effects) -> str:
    """Return in a sentence which model moved the uncertain images farthest from the baseline."""
    uncertain = found.groups["uncertain"]
    known = {model: shift for model, shift in uncertain.shifts.items() if shift.mean is not None}
    if not known:
        return "There are no uncertain images of this label here."
    model = max(known, key=lambda one: abs(known[one].mean or 0.0))
    shift = known[model]
    interval = f" (95 % interval {signed(shift.ci[0])} to {signed(shift.ci[1])})" if shift.ci else ""
    return (
        f"Against {found.baseline}, {model} moves the uncertain ones most ({counted(uncertain.n, 'image')}): "
        f"by {signed(shift.mean)}{interval} on the {found.scale} scale."
    )


def placement_table(found: Effects) -> pd.DataFrame:
    """Return where each model puts the uncertain images, in words."""
    rows = {
        model: {words: _words(placement, name) for words, name in PLACEMENTS.items()}
        for model, placement in found.placements.items()
    }
    frame = pd.DataFrame.from_dict(rows, orient="index")
    frame.index.name = f"{counted(found.groups['uncertain'].n, 'uncertain image')}, by model"
    return frame


def _words(placement: Placement, name: str) -> str:
    value = getattr(placement, name)
    if value is None:
        return f"{NOTHING} ({placement.why.get(name, 'undefined')})"
    return with_interval(value, getattr(placement, f"{name}_ci"))
