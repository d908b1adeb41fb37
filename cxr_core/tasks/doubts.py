"""Which labels of the report are most likely wrong, over all labels, and how often such a list is right."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from cxr_core.arrays import BoolArray, IntArray
from cxr_core.errors import UsageError
from cxr_core.evaluation.binary import label_codes
from cxr_core.evaluation.doubt import LabelDoubt, Precision, contradicts, precision_at
from cxr_core.evaluation.fitted import FOLDS
from cxr_core.schema import LABELS, REPORT, TRUTH, VALUES, Value, check_label
from cxr_core.sources.registry import ready_source
from cxr_core.tasks.image_keys import ImageKeys, named_keys
from cxr_core.tasks.judging import joined_predictions, judged_by
from cxr_core.tasks.label_doubt import check_not_learnt, doubt_of
from cxr_core.warehouse.answers import Joined


@dataclass(frozen=True)
class Doubt(ImageKeys):
    """One label of one image that is in doubt: the `value` that is given, and the `expected` one.

    `score` is the model's, as stored; `probability` that of the given value, and `margin` how much more probable it is
    than the likeliest other. `wrong` says whether the judge knows it to be wrong, None where nobody says.
    """

    label: str
    value: str
    expected: str
    score: float
    probability: float
    margin: float
    wrong: bool | None
    why: str


@dataclass(frozen=True)
class HowRight:
    """How often labels are wrong by who knows: of all that take part (`base`), and among the first k in doubt."""

    n_doubtful: int
    base: Precision | None = None
    precision: tuple[Precision, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the figures under the names that scripts rely on."""
        return {
            "n_doubtful": self.n_doubtful,
            "wrong_of_all": None if self.base is None else self.base.as_json(),
            "precision": [one.as_json() for one in self.precision],
        }


@dataclass(frozen=True, eq=False)
class DoubtfulLabel:
    """The doubts of one label on rows of `n_patients` patients; `values` counts these rows by value."""

    found: LabelDoubt
    n_patients: int
    values: dict[str, int]
    right: HowRight

    def as_json(self) -> dict[str, Any]:
        """Return what `doubts --json` prints of a label."""
        thresholds = zip(VALUES, self.found.thresholds, strict=True)
        rows = zip(VALUES, self.found.joint.tolist(), strict=True)
        return {
            "n": self.found.n,
            "n_patients": self.n_patients,
            "values": self.values,
            "thresholds": {name: None if np.isnan(value) else float(value) for name, value in thresholds},
            "joint": {name: dict(zip(VALUES, row, strict=True)) for name, row in rows},
            **self.right.as_json(),
            "why": {} if self.found.why is None else {"doubts": self.found.why},
        }


@dataclass(frozen=True, eq=False)
class Doubts:
    """The labels in doubt on one data set, `listed` over all labels with the most doubtful first.

    `judge` is who knows which are wrong, None where nobody does.
    """

    model: str
    source: str
    dataset: str
    view: str | None
    judge: str | None
    labels: dict[str, DoubtfulLabel]
    right: HowRight
    listed: tuple[Doubt, ...]

    def as_json(self, limit: int | None = None) -> dict[str, Any]:
        """Return what `doubts --json` prints, the list cut at `limit`."""
        return {
            "model": self.model,
            "source": self.source,
            "dataset": self.dataset,
            "view": self.view,
            "judge": self.judge,
            "folds": FOLDS,
            "labels": {label: one.as_json() for label, one in self.labels.items()},
            "all": self.right.as_json(),
            "doubts": [asdict(one) for one in self.listed[:limit]],
        }


@dataclass(frozen=True, eq=False)
class _OfLabel:
    """What is found of a label in joined rows; `wrong` (n,) says of each row 1, 0, or -1 where nobody knows."""

    label: str
    found: LabelDoubt
    wrong: IntArray


def doubts(
    source_name: str,
    model: str,
    dataset: str = "valid",
    view: str | None = None,
    labels: Sequence[str] = (),
    judge: str | None = None,
) -> Doubts:
    """Return which labels of the report are most likely wrong, and how often that is right by a judge.

    Args:
        source_name: the source.
        model: a model with predictions of images that it was not trained on.
        dataset: valid or test.
        view: only images of this view.
        labels: which labels; by default all that the model predicts.
        judge: who knows which are wrong: `truth` or a set of readings; by default the truth where it is known.

    Raises:
        UnknownNameError: there is no such source, model, label, data set, view or judge.
        UsageError: the data set is train, the judge is the report, or the judge says nothing of these images.
        TableError: a table is damaged, or a path occurs more than once.
        WarehouseError: the warehouse could not answer.
    """
    for label in labels:
        check_label(label)
    check_not_learnt(dataset)
    if judge == REPORT:
        raise UsageError(f"The report's own labels are in doubt, so it is no judge of them. Name {TRUTH} or readings.")
    source = ready_source(source_name)
    judge = judge or (TRUTH if source.truth is not None else None)
    joined = joined_predictions(source_name, model, dataset, view)
    known = None if judge is None else judged_by(source, joined, dataset, judge).joined.frame.set_index("path")
    wanted = [label for label in LABELS if label in (labels or joined.labels)]
    each = [_of_label(joined, model, label, dataset, known) for label in wanted]
    patients = joined.frame["patient"].to_numpy(np.int64)
    of_labels = {one.label: _told(one, joined.frame, patients) for one in each}
    every = [_table(one, joined.frame) for one in each]
    table = pd.concat(every).sort_values("probability", kind="stable") if every else pd.DataFrame(columns=["row"])
    return Doubts(
        model, source_name, dataset, view, judge, of_labels, _over_all(each, table, patients), _listed(table, dataset)
    )


def _of_label(joined: Joined, model: str, label: str, dataset: str, known: pd.DataFrame | None) -> _OfLabel:
    found = doubt_of(joined, model, label, dataset)
    return _OfLabel(label, found, _wrong(joined.frame, label, known))


def _wrong(frame: pd.DataFrame, label: str, known: pd.DataFrame | None) -> IntArray:
    """Return for each row (n,) whether its label is wrong by who knows: 1, 0, or -1 where nobody says."""
    values = label_codes(frame[f"true_{label}"])
    if known is None:
        return np.full(values.size, -1)
    verdicts = label_codes(known[f"true_{label}"].reindex(frame["path"]))
    certain = (values >= 0) & (values != Value.uncertain)
    said: BoolArray = np.isin(verdicts, (Value.negative, Value.positive)) & certain
    return np.where(said, contradicts(values, verdicts), -1).astype(np.int64)


def _told(one: _OfLabel, frame: pd.DataFrame, patients: IntArray) -> DoubtfulLabel:
    part, listed = one.found.taking_part, one.found.rows
    counts = np.bincount(label_codes(frame[f"true_{one.label}"])[part], minlength=len(VALUES))
    values = dict(zip(VALUES, counts.tolist(), strict=True))
    right = _how_right(one.wrong[part], patients[part], one.wrong[listed], patients[listed])
    return DoubtfulLabel(one.found, np.unique(patients[part]).size, values, right)


def _over_all(each: list[_OfLabel], table: pd.DataFrame, patients: IntArray) -> HowRight:
    if not each:
        return HowRight(0)
    every = np.concatenate([one.wrong[one.found.taking_part] for one in each])
    whose = np.concatenate([patients[one.found.taking_part] for one in each])
    return _how_right(every, whose, table["wrong"].to_numpy(np.int64), patients[table["row"].to_numpy(np.int64)])


def _how_right(every: IntArray, whose: IntArray, listed: IntArray, of_listed: IntArray) -> HowRight:
    """Return how many of all labels are wrong, and how many of the list: (n,) and (m,) of 1, 0, -1 with patients."""
    said = every >= 0
    if not said.any():
        return HowRight(listed.size)
    base = precision_at(every[said], whose[said], ())[0]
    return HowRight(listed.size, base, tuple(precision_at(listed, of_listed)))


def _table(one: _OfLabel, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the doubts of a label as a table, a row each."""
    found, rows = one.found, one.found.rows
    table = frame.iloc[rows][["path", "view", "patient", "study", "image"]]
    return table.assign(
        row=rows,
        label=one.label,
        given=found.given,
        expected=found.expected,
        score=frame[f"predicted_{one.label}"].to_numpy(np.float64)[rows],
        probability=found.probability,
        margin=found.margin,
        wrong=one.wrong[rows],
        why=found.words(),
    )


def _listed(table: pd.DataFrame, dataset: str) -> tuple[Doubt, ...]:
    rows: Iterable[Any] = table.itertuples(index=False)
    return tuple(
        Doubt(
            **named_keys(dataset, one.path, one.view, one.patient, one.study, one.image),
            label=one.label,
            value=VALUES[one.given],
            expected=VALUES[one.expected],
            score=float(one.score),
            probability=float(one.probability),
            margin=float(one.margin),
            wrong=None if one.wrong < 0 else bool(one.wrong),
            why=one.why,
        )
        for one in rows
    )
