"""Who is in the demo and what they have: patients, studies, images, and the truth behind the labels.

Numbers that decide how often something happens are drawn in strata, one from each of n equal parts of 0..1 in
shuffled order, so that the rarest label keeps enough positives in the smallest data set whatever the seed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from cxr_core.arrays import FloatArray
from cxr_core.schema import DATASETS, LABELS

#: Findings, in the order in which they are decided: (name, rate in ill patients, what adds to the rate).
RISKS: tuple[tuple[str, float, dict[str, float]], ...] = (
    ("cardiomegaly", 0.33, {}),
    ("enlarged_cardiomediastinum", 0.54, {"cardiomegaly": 0.20}),
    ("edema", 0.08, {"cardiomegaly": 0.32}),
    ("pleural_effusion", 0.11, {"edema": 0.35, "cardiomegaly": 0.10}),
    ("pneumonia", 0.11, {}),
    ("consolidation", 0.09, {"pneumonia": 0.33}),
    ("airspace_opacity", 0.51, {"pneumonia": 0.40, "consolidation": 0.15, "edema": 0.15}),
    ("atelectasis", 0.36, {"pleural_effusion": 0.25}),
    ("lung_lesion", 0.10, {}),
    ("pneumothorax", 0.14, {}),
    ("pleural_other", 0.08, {"pleural_effusion": 0.08}),
    ("fracture", 0.13, {"pneumothorax": 0.12}),
    ("support_devices", 0.32, {"edema": 0.25, "pneumothorax": 0.35, "pleural_effusion": 0.15}),
)

#: Findings that stay from one study of a patient to the next more often than not.
LASTING = frozenset({"cardiomegaly", "enlarged_cardiomediastinum", "lung_lesion", "pleural_other", "support_devices"})

HEALTHY_SHARE = 0.25
FIRST_PATIENT = 10000032


@dataclass
class Study:
    """One visit of a patient.

    `strengths` holds the findings that are present, with how visible each is (0 to 1); `images` the
    (image number, view name) pairs; `labels` the value codes once the study has been read.
    """

    dataset: str
    patient: int
    study: int
    female: bool
    age: int
    ap: bool = False
    strengths: dict[str, float] = field(default_factory=dict)
    images: list[tuple[int, str]] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)

    @property
    def truth(self) -> dict[str, int]:
        """1 for each label that truly holds, else 0; support devices alone leave "no finding" true."""
        present = {label: int(label in self.strengths) for label in LABELS}
        present["no_finding"] = int(not set(self.strengths) - {"support_devices"})
        return present


def strata(rng: np.random.Generator, count: int) -> FloatArray:
    """Return `count` numbers in 0..1, one from each of `count` equal parts, in random order."""
    return (rng.permutation(count) + rng.random(count)) / max(count, 1)


def draw_cohort(seed: int, studies: tuple[int, int, int]) -> list[Study]:
    """Draw all studies of the train, valid and test data sets, with patients that appear in one of them only."""
    rng = np.random.default_rng((seed, 1))
    sizes = [_visits(rng, count) for count in studies]
    patients = iter(_patient_ids(rng, sum(map(len, sizes))))
    drawn: list[Study] = []
    for dataset, visits in zip(DATASETS, sizes, strict=True):
        people = [person for count in visits for person in _person(rng, dataset, next(patients), count)]
        _decide_findings(rng, people)
        _decide_images(rng, people)
        drawn += people
    return drawn


def _visits(rng: np.random.Generator, studies: int) -> list[int]:
    """Return how many studies each patient has (1 to 4), `studies` in all."""
    visits: list[int] = []
    while (left := studies - sum(visits)) > 0:
        visits.append(min(left, int(rng.choice((1, 2, 3, 4), p=(0.5, 0.25, 0.15, 0.1)))))
    return visits


def _patient_ids(rng: np.random.Generator, count: int) -> list[int]:
    """Return different ids of eight digits; only the first is fixed, and the order says nothing."""
    steps = rng.integers(1000, 6000, count).cumsum() - 1000
    rest = rng.permutation(FIRST_PATIENT + steps[1:])
    return [FIRST_PATIENT, *rest.tolist()][:count]


def _person(rng: np.random.Generator, dataset: str, patient: int, visits: int) -> Iterator[Study]:
    female = bool(rng.random() < 0.5)
    age = int(np.clip(rng.normal(58, 17), 18, 95))
    for study in range(1, visits + 1):
        yield Study(dataset, patient, study, female, min(95, age + (study - 1) // 2))


def _decide_findings(rng: np.random.Generator, people: list[Study]) -> None:
    """Fill `strengths` and `ap`; findings raise each other's risk, and some last from study to study."""
    count = len(people)
    ill = strata(rng, count) >= HEALTHY_SHARE
    draws = {name: (strata(rng, count), strata(rng, count), rng.random(count)) for name, _, _ in RISKS}
    lying = rng.random(count)
    before: Study | None = None
    for i, study in enumerate(people):
        earlier = before.strengths if before is not None and before.patient == study.patient else {}
        for name, rate, causes in RISKS:
            chance, subtlety, stays = (float(numbers[i]) for numbers in draws[name])
            risk = rate + sum(extra for cause, extra in causes.items() if cause in study.strengths)
            if name in LASTING and name in earlier and stays < 0.6:
                study.strengths[name] = float(np.clip(earlier[name] + 0.2 * (subtlety - 0.5), 0.0, 1.0))
            elif ill[i] and chance < risk * (0.7 + study.age / 190 if name == "cardiomegaly" else 1.0):
                study.strengths[name] = 1.0 - subtlety
        study.ap = bool(
            lying[i] < 0.15 + 0.45 * ("support_devices" in study.strengths) + 0.2 * ("edema" in study.strengths)
        )
        before = study


def _decide_images(rng: np.random.Generator, people: list[Study]) -> None:
    """Give each study a frontal image, mostly a lateral one, and now and then a second or another view."""
    lateral, second, third, other = (strata(rng, len(people)) for _ in range(4))
    for i, study in enumerate(people):
        views = ["frontal"] + ["frontal"] * bool(second[i] < 0.10)
        views += ["lateral"] * bool(lateral[i] < 0.90) + ["lateral"] * bool(third[i] < 0.05 and lateral[i] < 0.90)
        views += ["other"] * bool(other[i] < 0.04)
        study.images = list(enumerate(views, start=1))
