"""What the label tables say beyond their distribution, as scripts read it: sizes, shares, pairs, policies' rates."""

from typing import Any

import numpy as np
import pandas as pd

from cxr_core.schema import LABELS, VALUES
from cxr_core.tasks.distribution import (
    closest_pair,
    conditional_shares,
    cooccurrence,
    label_overview,
    positive_rates,
    shared_patients,
    uncertain_outnumbers_positive,
    unit_distribution,
    value_counts,
)
from cxr_core.uncertainty import Policy


def label_facts(source_name: str, view: str | None, policy: Policy, unit: str = "images") -> dict[str, Any]:
    """Return how many images, studies and patients there are, and shares and rates of each label by data set.

    Args:
        source_name: a source.
        view: only images of this view, None for all.
        policy: under which the positive rate that the loss sees is given, beside that among the certain.
        unit: what is counted by label and value: images, studies or patients.

    Raises:
        UnknownNameError: there is no such source, view or unit.
        UsageError: the source is the demo, which is not built yet, or has no label table.
    """
    found = label_overview(source_name, view)
    table = found.distribution if unit == "images" else unit_distribution(source_name, view, unit)
    return {
        "view": view,
        "unit": unit,
        "counts": [_ratios(row) for row in found.counts.to_dict("records")],
        "patients_in_several_datasets": shared_patients(source_name),
        "datasets": {name: _of_dataset(table, found.distribution, name, policy) for name in found.datasets},
        "policy": policy.name,
    }


def label_pairs(source_name: str, view: str | None, value: str, dataset: str) -> dict[str, Any]:
    """Return on how many images two labels both have a value, and on which share of those of the first.

    Raises:
        UnknownNameError: there is no such source, view, value or data set.
        UsageError: the source is the demo, which is not built yet, or has no label table.
    """
    images = cooccurrence(source_name, view, value, dataset)
    counts, shares, pair = images.to_numpy(), conditional_shares(images).to_numpy(), closest_pair(images)
    rows = [
        {"label": label, "other": other, "images": int(counts[i, j]), "share": _defined(shares[i, j])}
        for i, label in enumerate(LABELS)
        for j, other in enumerate(LABELS)
    ]
    closest = None if pair is None else {"label": pair.label, "other": pair.other, "share": pair.share}
    return {"view": view, "dataset": dataset, "value": value, "pairs": rows, "closest": closest}


def _defined(share: float) -> float | None:
    return None if np.isnan(share) else float(share)


def _ratios(row: dict[Any, Any]) -> dict[str, Any]:
    """Return a row of counts with its ratios, None where nothing is divided by."""
    images, studies, patients = (int(row[name]) for name in ("images", "studies", "patients"))
    counts = {"dataset": row["dataset"], "view": row["view"], "images": images, "studies": studies}
    return counts | {
        "patients": patients,
        "images_per_study": images / studies if studies else None,
        "studies_per_patient": studies / patients if patients else None,
    }


def _of_dataset(table: pd.DataFrame, of_images: pd.DataFrame, dataset: str, policy: Policy) -> dict[str, Any]:
    counts = value_counts(table, dataset)
    certain = positive_rates(of_images, 0.0, 0.0, dataset)
    seen = positive_rates(of_images, policy.u, policy.w, dataset, policy.blank_u, policy.blank_w)
    labels = {
        label: _of_label(dict(zip(VALUES, map(int, row), strict=True)))
        | {"positive_rate_certain": _defined(certain[label]), "positive_rate_seen": _defined(seen[label])}
        for label, row in zip(LABELS, counts.to_numpy(), strict=True)
    }
    more = list(uncertain_outnumbers_positive(of_images, dataset))
    return {"labels": labels, "more_uncertain_than_positive": more}


def _of_label(counts: dict[str, int]) -> dict[str, Any]:
    total, positive = sum(counts.values()), counts["positive"]
    values = {value: {"n": n, "share": n / total if total else None} for value, n in counts.items()}
    ratio = counts["uncertain"] / positive if positive else None
    return {"n": total, "values": values, "uncertain_per_positive": ratio}
