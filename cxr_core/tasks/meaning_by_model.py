"""What a model says of the meaning of labels: it narrows shares that were counted and bounds others."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cxr_core.arrays import FloatArray, IntArray
from cxr_core.evaluation.probabilities import logit
from cxr_core.evaluation.results import bounds_as_json
from cxr_core.evaluation.shares import HelpedShare, helped_share, present_share
from cxr_core.evaluation.verdicts import NO_VERDICT, majority
from cxr_core.evaluation.without_readings import HonestRange, certain_probabilities, honest_range
from cxr_core.schema import LABELS, VALUES, Value
from cxr_core.sources.registry import ready_source
from cxr_core.warehouse.readings import counted_readings, votes_on


@dataclass(frozen=True)
class HelpedValue:
    """A share among all `n` images of a value with a model's help; `narrower` than the plain interval, or not shown."""

    n: int
    share: HelpedShare | None
    narrower: bool
    why: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what scripts read."""
        found = self.share
        return {
            "n": self.n,
            "share": found.share if found else None,
            "share_ci": bounds_as_json(found.ci) if found else None,
            "weight": found.weight if found else None,
            "narrower": self.narrower,
            "why": self.why,
        }


@dataclass(frozen=True)
class MeaningByModel:
    """What a model adds on the images that it predicts: `helped[label][value]` and `ranges[label]`."""

    model: str
    n: int
    helped: dict[str, dict[str, HelpedValue]]
    ranges: dict[str, HonestRange]

    def as_json(self) -> dict[str, Any]:
        """Return what `meaning --model --json` adds."""
        labels = {
            label: {
                "helped": {value: one.as_json() for value, one in self.helped.get(label, {}).items()},
                "without_readings": self.ranges[label].as_json(),
            }
            for label in self.ranges
        }
        return {"model": self.model, "n": self.n, "labels": labels}


def meaning_by_model(
    source_name: str, model: str, set_name: str | None = None, dataset: str | None = None, view: str | None = None
) -> MeaningByModel:
    """Estimate shares with a model's help, and without any reading.

    Args:
        source_name: the source.
        model: a model with predictions; only images that it predicts take part.
        set_name: the set of readings; without one, nothing is helped.
        dataset: only images of this data set, or all that the model predicts.
        view: only images of this view.

    Raises:
        UnknownNameError: there is no such source, model, set, data set or view.
        TableError: a table is damaged.
    """
    warehouse = ready_source(source_name).warehouse()
    info = warehouse.prediction_table(model)
    rows, predicted = warehouse.labels(dataset, view), warehouse.predictions(model)
    names = [label for label in LABELS if label in predicted]
    whole = predicted[np.isfinite(predicted[names].to_numpy(np.float64)).all(axis=1)]
    joined = rows.merge(whole[["path", *names]], on="path", suffixes=("", "_predicted"))
    columns = [f"{label}_predicted" for label in names]
    features = joined[columns].to_numpy(np.float64)
    if info.scale == "probability":
        features = logit(features)
    patients = joined["patient"].to_numpy(np.int64)
    votes = None if set_name is None else votes_on(joined, counted_readings(warehouse.readings(set_name)))
    helped: dict[str, dict[str, HelpedValue]] = {}
    ranges: dict[str, HonestRange] = {}
    for label in names if len(joined) else []:
        values = joined[label].to_numpy(np.int64)
        probabilities = certain_probabilities(values, features, patients)
        ranges[label] = honest_range(values, probabilities, patients)
        if votes is not None:
            counts = rows[label].value_counts()
            verdicts = majority(votes.of(label))
            helped[label] = {
                name: _helped(values == Value[name], int(counts.get(Value[name], 0)), verdicts, probabilities, patients)
                for name in VALUES
            }
    return MeaningByModel(model, len(joined), helped, ranges)


def _helped(
    having: np.ndarray, n: int, verdicts: IntArray, probabilities: FloatArray | None, patients: IntArray
) -> HelpedValue:
    """Return the helped share of a value's images, all `n` of which must be predicted."""
    predicted = int(having.sum())
    if probabilities is None:
        return HelpedValue(predicted, None, False, "too few certain patients of either class to learn from")
    if predicted < n:
        return HelpedValue(predicted, None, False, f"the model predicts {predicted:,} of these {n:,} images only")
    of_value = pd.Series(verdicts[having])
    plain = present_share(of_value, patients[having])
    found = helped_share(of_value, probabilities[having], patients[having])
    if found is None or plain.ci is None:
        few = int((of_value != NO_VERDICT).sum())
        return HelpedValue(predicted, None, False, f"{few:,} readings are too few, or all are, or none is unread")
    narrower = found.ci[1] - found.ci[0] < plain.ci[1] - plain.ci[0]
    return HelpedValue(predicted, found, narrower)
