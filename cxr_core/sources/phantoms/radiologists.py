"""Eight phantom radiologists who read studies, and who agree about as far as real ones do.

Of each study and finding it is drawn how many of the eight call it present: all of a plain finding, five or more of
nearly every one that is there, at most three of what is not. What looks like a finding has more of them err. How many
differ from the rest follows from the kappa that was counted of real readers; who they are, from how readily each calls
a thing present. So the majority is close to the truth, and a single reader is not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import comb, log

import numpy as np
import pandas as pd

from cxr_core.arrays import BoolArray, FloatArray, IntArray
from cxr_core.schema import INTEGER_KEYS, LABELS, READER_COLUMN, Verdict, dataset_code, study_path
from cxr_core.sources.phantoms.cohort import Study
from cxr_core.sources.phantoms.counted import KAPPA, READERS
from cxr_core.sources.phantoms.reading import HABITS, likeness

#: How readily each radiologist calls a finding present, beside the others.
READINESS = (0.4, 0.6, 0.8, 1.0, 1.0, 1.4, 1.8, 2.4)
NAMES: tuple[str, ...] = tuple(f"radiologist{number}" for number in range(1, READERS + 1))
#: The data sets that they read.
READ_DATASETS = ("valid", "test")

#: More than this many of the eight differ from the truth only on the studies that mislead most.
_MOST_DIFFERING = 3
#: Of the studies with a finding, the share that the majority misses, and on which it is split; as many without it are
#: called present, and split.
_MISSED, _SPLIT = 0.015, 0.015
#: How much chance has in it which studies mislead, beside how faint a finding (or how alike another) is, 0 to 1.
_CHANCE = 2.0


@dataclass(frozen=True, eq=False)
class _Group:
    """Studies of one data set with, or without, a finding.

    Attributes:
        places: (k,) where they stand among the studies of the data set.
        misleading: (k,) the larger, the more readers err.
    """

    present: bool
    places: IntArray
    misleading: FloatArray


def readings(seed: int, studies: list[Study]) -> pd.DataFrame:
    """Return what the eight say of the studies of `READ_DATASETS`, one row a study and reader, as a readings table.

    "No finding" is a verdict of its own: nothing of note, whatever slight thing is called present.
    """
    parts = []
    for number, dataset in enumerate(READ_DATASETS):
        people = [study for study in studies if study.dataset == dataset]
        rng = np.random.default_rng((seed, 4, number))
        parts += list(_rows(people, np.stack([_said(rng, name, people) for name in LABELS], axis=2)))
    return pd.concat(parts, ignore_index=True)


def _said(rng: np.random.Generator, name: str, people: list[Study]) -> BoolArray:
    """Return which readers (studies, readers) call a finding present in the studies of one data set."""
    groups = _groups(rng, name, people)
    there = len(groups[0].places)
    doubt = differing_share(there / max(1, len(people)), KAPPA[name])
    said = np.zeros((len(people), READERS), bool)
    for group in groups:
        differing = _differing(group, doubt, round(_MISSED * there), round(_SPLIT * there))
        readiness = np.log(READINESS) * (-1 if group.present else 1)
        # The largest of log weight + Gumbel noise: readers drawn without replacement, by weight.
        order = np.argsort(-(readiness + rng.gumbel(size=(len(differing), READERS))), axis=1)
        errs = np.argsort(order, axis=1) < differing[:, None]
        said[group.places] = errs != group.present
    return said


def _groups(rng: np.random.Generator, name: str, people: list[Study]) -> tuple[_Group, _Group]:
    """Return the studies where a label holds, the faint ones misleading, and the others, what is alike misleading."""
    present = np.array([study.truth[name] == 1 for study in people], bool)
    if name in HABITS:
        faint = [1 - study.strengths.get(name, 0.0) for study in people]
        alike = [likeness(study, HABITS[name].alike) for study in people]
    else:
        faint = [0.0 for _ in people]
        alike = [1 - likeness(study, tuple(HABITS)) for study in people]
    chance = _CHANCE * rng.random(len(people))
    places = np.flatnonzero(present), np.flatnonzero(~present)
    return _Group(True, places[0], (np.array(faint) + chance)[places[0]]), _Group(
        False, places[1], (np.array(alike) + chance)[places[1]]
    )


def _differing(group: _Group, doubt: float, wrong: int, split: int) -> IntArray:
    """Return how many readers (k,) differ from the truth: `m` or more of a share `doubt ** m`, but for the worst."""
    k = len(group.places)
    rank = np.argsort(np.argsort(-group.misleading, kind="stable"), kind="stable")
    number = np.minimum(np.log((rank + 0.5) / max(k, 1)) / log(doubt), _MOST_DIFFERING).astype(np.int64)
    number[rank < wrong + split] = READERS // 2
    number[rank < wrong] = READERS // 2 + 1
    return number


def differing_share(prevalence: float, kappa: float) -> float:
    """Return the share of studies on which a reader or more differs that gives pairs of readers this kappa."""
    low, high = 1e-6, 1 - 1e-6
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _kappa(prevalence, middle) > kappa else (low, middle)
    return low


def _kappa(prevalence: float, doubt: float) -> float:
    """Return the kappa of two of the readers, of studies on which `m` or more differ with probability `doubt ** m`."""
    chances = [doubt**m * (1 - doubt * (m < _MOST_DIFFERING)) for m in range(_MOST_DIFFERING + 1)]
    pairs = comb(READERS, 2)
    agree = sum(chance * (comb(READERS - m, 2) + comb(m, 2)) / pairs for m, chance in enumerate(chances))
    err = sum(chance * m / READERS for m, chance in enumerate(chances))
    rate = prevalence * (1 - err) + (1 - prevalence) * err
    by_chance = rate**2 + (1 - rate) ** 2
    return (agree - by_chance) / (1 - by_chance) if by_chance < 1 else 0.0


def _rows(people: list[Study], said: BoolArray) -> Iterator[pd.DataFrame]:
    """Yield one reader's rows after the other's, from what (studies, readers, 14) they call present."""
    keys = pd.DataFrame({"path": [study_path(one.dataset, one.patient, one.study) for one in people]})
    numbers = [(one.patient, one.study, 0, None, dataset_code(one.dataset)) for one in people]
    keys = keys.join(pd.DataFrame(numbers, columns=list(INTEGER_KEYS)).astype("Int64"))
    codes = np.where(said, Verdict.present, Verdict.absent)
    for place, reader in enumerate(NAMES):
        labels = pd.DataFrame(codes[:, place], columns=list(LABELS))
        yield pd.concat([keys.assign(**{READER_COLUMN: reader}), labels], axis=1)
