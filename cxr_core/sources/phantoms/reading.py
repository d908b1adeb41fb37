"""The reading of a study: from what is truly there to what the report says of the 14 labels.

A report mentions what is plain, hedges about what is faint, and leaves most of the absent unmentioned. Like in
MIMIC-CXR, readers hedge about four findings so often that uncertain labels outnumber positive ones.
"""

from dataclasses import dataclass

import numpy as np

from cxr_core.schema import LABELS, Value
from cxr_core.sources.phantoms.cohort import Study, strata


@dataclass(frozen=True)
class Habit:
    """How readers report one finding.

    Attributes:
        doubt: share of uncertain among mentions of a plain finding; rises with subtlety.
        denial: share of absent findings that the report denies.
        slip: share of absent findings reported as present; twice as many are called uncertain.
    """

    doubt: float = 0.02
    denial: float = 0.03
    slip: float = 0.004


#: The four findings that readers hedge about, so that uncertain outnumbers positive.
DOUBTED: tuple[str, ...] = ("enlarged_cardiomediastinum", "consolidation", "pneumonia", "atelectasis")

HABITS: dict[str, Habit] = {
    "enlarged_cardiomediastinum": Habit(doubt=0.42, denial=0.10),
    "cardiomegaly": Habit(denial=0.10),
    "airspace_opacity": Habit(),
    "lung_lesion": Habit(),
    "edema": Habit(denial=0.12),
    "consolidation": Habit(doubt=0.47, denial=0.12),
    "pneumonia": Habit(doubt=0.45, denial=0.12),
    "atelectasis": Habit(doubt=0.42),
    "pneumothorax": Habit(denial=0.22),
    "pleural_effusion": Habit(denial=0.18),
    "pleural_other": Habit(),
    "fracture": Habit(),
    "support_devices": Habit(),
}

#: Share of reports without a finding that say so.
ALL_CLEAR = 0.85


def read_studies(seed: int, studies: list[Study]) -> None:
    """Fill the `labels` of each study, in place; each data set is read on its own."""
    for number, dataset in enumerate(sorted({study.dataset for study in studies})):
        rng = np.random.default_rng((seed, 2, number))
        people = [study for study in studies if study.dataset == dataset]
        for name, habit in HABITS.items():
            _read_finding(rng, name, habit, people)
        for study, chance in zip(people, strata(rng, len(people)), strict=True):
            _conclude(study, float(chance))


def _read_finding(rng: np.random.Generator, name: str, habit: Habit, people: list[Study]) -> None:
    """Read one finding in all studies; present and absent ones have strata of their own."""
    present = [study for study in people if name in study.strengths]
    absent = [study for study in people if name not in study.strengths]
    mentions, doubts = strata(rng, len(present)), strata(rng, len(present))
    for study, mention, doubt in zip(present, mentions, doubts, strict=True):
        study.labels[name] = _read_present(habit, 1.0 - study.strengths[name], float(mention), float(doubt))
    for study, chance in zip(absent, strata(rng, len(absent)), strict=True):
        study.labels[name] = _read_absent(habit, float(chance))


def _read_present(habit: Habit, subtlety: float, mention: float, doubt: float) -> int:
    """Return the value of a present finding: the fainter, the rarer a mention and the rarer a firm one."""
    if mention > 0.97 - 0.65 * subtlety**2:
        return Value.not_mentioned
    share = habit.doubt + (0.9 - habit.doubt) * max(0.0, subtlety - 0.35) / 0.65
    return Value.uncertain if doubt < share else Value.positive


def _read_absent(habit: Habit, chance: float) -> int:
    """Return the value of an absent finding: mostly none, sometimes a denial, seldom a mistake."""
    if chance < habit.slip:
        return Value.positive
    if chance < 3 * habit.slip:
        return Value.uncertain
    return Value.negative if chance > 1 - habit.denial else Value.not_mentioned


def _conclude(study: Study, chance: float) -> None:
    """Report "no finding" when nothing but devices was reported or suspected, in most cases."""
    reported = {name for name, value in study.labels.items() if value in (Value.uncertain, Value.positive)}
    clear = not reported - {"support_devices"} and chance < ALL_CLEAR
    read = {"no_finding": Value.positive if clear else Value.not_mentioned} | study.labels
    study.labels = {name: int(read[name]) for name in LABELS}
