"""What the report of a study says: from what is truly there to a value for each of the 14 labels.

How often a finding is really there behind each value is as `counted` says of real reports: much of what reports leave
out is there, and much of what they say is not. Which studies these are follows from the pictures. The plain ones are
mentioned, the faint ones hedged about or left out; and a finding that is not there is reported where something else
looks like it. The numbers are exact in each data set, whatever the seed, as far as whole studies can be.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cxr_core.arrays import FloatArray
from cxr_core.schema import LABELS, Value
from cxr_core.sources.phantoms.cohort import Study, strata
from cxr_core.sources.phantoms.counted import BLANK, BLANK_ELSEWHERE, UNCERTAIN, UNCERTAIN_ELSEWHERE


@dataclass(frozen=True)
class Habit:
    """How reports speak of one finding.

    Attributes:
        hedged: share of studies whose report is uncertain of it.
        denied: share of studies whose report denies it.
        right: share of the positive on which it is there. These sums are not known by finding; all together are.
        wrong_denial: share of the denied on which it is there.
        alike: findings that are taken for it, the more, the plainer they are.
    """

    hedged: float
    denied: float
    right: float
    alike: tuple[str, ...]
    wrong_denial: float = 0.05


#: Findings of which uncertain reports outnumber positive ones.
DOUBTED: tuple[str, ...] = ("enlarged_cardiomediastinum", "consolidation", "pneumonia", "atelectasis")

HABITS: dict[str, Habit] = {
    "enlarged_cardiomediastinum": Habit(0.11, 0.09, 0.88, ("cardiomegaly",), 0.20),
    "cardiomegaly": Habit(0.04, 0.12, 0.60, ("enlarged_cardiomediastinum",)),
    "airspace_opacity": Habit(0.02, 0.05, 0.73, ("edema", "consolidation", "atelectasis"), 0.10),
    "lung_lesion": Habit(0.015, 0.03, 0.48, ("airspace_opacity",)),
    "edema": Habit(0.05, 0.14, 0.60, ("airspace_opacity", "cardiomegaly", "pleural_effusion")),
    "consolidation": Habit(0.19, 0.10, 0.50, ("airspace_opacity", "atelectasis", "pleural_effusion")),
    "pneumonia": Habit(0.16, 0.10, 0.50, ("airspace_opacity", "consolidation")),
    "atelectasis": Habit(0.17, 0.03, 0.56, ("pleural_effusion", "cardiomegaly", "airspace_opacity")),
    "pneumothorax": Habit(0.015, 0.19, 0.48, ("support_devices",)),
    "pleural_effusion": Habit(0.06, 0.18, 0.62, ("edema", "atelectasis", "pleural_other")),
    "pleural_other": Habit(0.015, 0.02, 0.48, ("pleural_effusion",)),
    "fracture": Habit(0.01, 0.03, 0.48, ("pneumothorax", "support_devices")),
    "support_devices": Habit(0.01, 0.03, 0.76, ("pneumothorax",)),
}

#: Share of reports without a finding that say so.
ALL_CLEAR = 0.85
#: How much chance has in it which studies are reported, beside how plain a finding (or what looks like it) is, 0 to 1.
CHANCE_PRESENT, CHANCE_ABSENT = 0.5, 1.0
#: At least this share of reports calls a finding positive, however few have it.
FEWEST_POSITIVE = 0.06


def read_studies(seed: int, studies: list[Study]) -> None:
    """Fill the `labels` of each study, in place; each data set is read on its own."""
    for number, dataset in enumerate(sorted({study.dataset for study in studies})):
        rng = np.random.default_rng((seed, 2, number))
        people = [study for study in studies if study.dataset == dataset]
        for name, habit in HABITS.items():
            _report(rng, name, habit, people)
        for study, chance in zip(people, strata(rng, len(people)), strict=True):
            _conclude(study, float(chance))


def likeness(study: Study, alike: Sequence[str]) -> float:
    """Return how much else in a study looks like a finding: the strength of the plainest of `alike`, 0 to 1."""
    return max((study.strengths.get(name, 0.0) for name in alike), default=0.0)


def _report(rng: np.random.Generator, name: str, habit: Habit, people: list[Study]) -> None:
    """Report one finding in all studies."""
    present = [study for study in people if name in study.strengths]
    absent = [study for study in people if name not in study.strengths]
    plain = np.array([study.strengths[name] for study in present]) + CHANCE_PRESENT * rng.random(len(present))
    alike = np.array([likeness(study, habit.alike) for study in absent]) + CHANCE_ABSENT * rng.random(len(absent))
    of_present, of_absent = _numbers(name, habit, len(present), len(absent))
    wrong = [Value.positive] * of_absent[Value.positive] + [Value.uncertain] * of_absent[Value.uncertain]
    right = [Value.positive] * of_present[Value.positive] + [Value.uncertain] * of_present[Value.uncertain]
    _assign(name, present, plain, right, of_present[Value.negative])
    _assign(name, absent, alike, [wrong[i] for i in rng.permutation(len(wrong))], of_absent[Value.negative])


def _numbers(name: str, habit: Habit, present: int, absent: int) -> tuple[dict[Value, int], dict[Value, int]]:
    """Return how many of the present and of the absent are reported as what; the rest is not mentioned.

    All shares being given, how many are positive follows from how many there are.
    """
    studies = present + absent
    blank, unsure = BLANK.get(name, BLANK_ELSEWHERE).share, UNCERTAIN.get(name, UNCERTAIN_ELSEWHERE).share
    hedged, denied = habit.hedged * studies, habit.denied * studies
    rest = studies - hedged - denied
    there = present - hedged * unsure - denied * habit.wrong_denial
    positive = max((there - rest * blank) / (habit.right - blank), FEWEST_POSITIVE * studies)
    hedges, denials = (Value.uncertain, hedged, unsure), (Value.negative, denied, habit.wrong_denial)
    said = ((Value.positive, positive, habit.right), hedges, denials)
    return _whole({v: n * s for v, n, s in said}, present), _whole({v: n * (1 - s) for v, n, s in said}, absent)


def _whole(numbers: dict[Value, float], most: int) -> dict[Value, int]:
    """Return whole numbers that are no more than `most` together."""
    whole: dict[Value, int] = {}
    for value, number in numbers.items():
        whole[value] = min(round(number), most - sum(whole.values()))
    return whole


def _assign(name: str, people: list[Study], rank: FloatArray, mentioned: Sequence[Value], denials: int) -> None:
    """Mention a finding where it ranks highest, deny it where it ranks lowest, and leave it out in between."""
    blanks = len(people) - len(mentioned) - denials
    values = [*mentioned, *[Value.not_mentioned] * blanks, *[Value.negative] * denials]
    for place, value in zip(np.argsort(-rank, kind="stable"), values, strict=True):
        people[place].labels[name] = value


def _conclude(study: Study, chance: float) -> None:
    """Report "no finding" when nothing but devices was reported or suspected, in most cases."""
    reported = {name for name, value in study.labels.items() if value in (Value.uncertain, Value.positive)}
    clear = not reported - {"support_devices"} and chance < ALL_CLEAR
    read = {"no_finding": Value.positive if clear else Value.not_mentioned} | study.labels
    study.labels = {name: int(read[name]) for name in LABELS}
