"""What do the labels mean? The share that readers call present among the images of each label value."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxr_core.arrays import BoolArray, IntArray
from cxr_core.atomic import write_text
from cxr_core.errors import ExistsError, UsageError
from cxr_core.evaluation.agreement import Agreement, agreement
from cxr_core.evaluation.results import bounds_as_json
from cxr_core.evaluation.shares import PresentShare, present_share, shrunk_shares
from cxr_core.evaluation.verdicts import majority
from cxr_core.schema import LABELS, VALUES, Value
from cxr_core.settings import settings
from cxr_core.sources.registry import ready_source
from cxr_core.uncertainty import Policy, label_policy
from cxr_core.warehouse.readings import Votes, counted_readings, votes_on
from cxr_core.warehouse.warehouse import Warehouse


@dataclass(frozen=True)
class Meaning:
    """What the readers of a set say of the images of each label and value, and how far they agree.

    `labels[label][value]` is the share present; `rows_by_study` counts the images that were read as a part of their
    study only, and `dataset` and `view` are None where all are taken.
    """

    source: str
    set: str
    dataset: str | None
    view: str | None
    readers: tuple[str, ...]
    labels: dict[str, dict[str, PresentShare]]
    agreement: dict[str, Agreement]
    rows_by_study: int

    def as_json(self) -> dict[str, Any]:
        """Return what `meaning --json` prints."""
        return {
            "set": self.set,
            "dataset": self.dataset,
            "view": self.view,
            "readers": list(self.readers),
            "labels": {
                label: {value: _share_json(share) for value, share in shares.items()}
                for label, shares in self.labels.items()
            },
            "agreement": {label: _agreement_json(found) for label, found in self.agreement.items()},
            "rows_by_study": self.rows_by_study,
            "policy": self._policy_as_json(),
        }

    def _policy_as_json(self) -> dict[str, dict[str, float] | None]:
        """Return the targets of the policy that the readings give, of blanks too; None where nobody counted any."""
        values = {"u": "uncertain", "blank_u": "not_mentioned"}
        counted = {name for name, value in values.items() if any(one[value].counted[0] for one in self.labels.values())}
        return {
            name: dict(zip(LABELS, self._targets(value), strict=True)) if name in counted else None
            for name, value in values.items()
        }

    def policy(self, w: float, name: str, blanks: bool = False) -> Policy:
        """Return the policy whose u is each label's share present among the uncertain, drawn to the labels' mean.

        With `blanks` the target of *not mentioned* is likewise the share present among those, at full weight.

        Raises:
            UsageError: no uncertain image (or, with `blanks`, no blank one) of any label was read.
        """
        targets = self._targets("uncertain"), self._targets("not_mentioned") if blanks else [0.0] * len(LABELS)
        return label_policy(targets[0], [w] * len(LABELS), name, blank_us=targets[1])

    def _targets(self, value: str) -> list[float]:
        """Return the share present among the images of a value, by label."""
        shares = [self.labels[label][value] for label in LABELS]
        if not any(share.counted[0] for share in shares):
            words = value.replace("_", " ")
            raise UsageError(
                f"The readers of {self.set} have judged no {words} image as a sample of them, so there is no u. "
                "Read some, blind and in an order that looks at nothing."
            )
        read, present = zip(*(share.counted for share in shares), strict=True)
        found = shrunk_shares(present, read)
        return [round(float(one), 4) for one in found]


def meaning(
    source_name: str, set_name: str | None = None, dataset: str | None = None, view: str | None = None
) -> Meaning:
    """Count what readers say of the images of each label and value.

    Args:
        source_name: the source.
        set_name: the set of readings; the only one where it is not given.
        dataset: only images of this data set, or all.
        view: only images of this view, or all.

    Raises:
        UnknownNameError: there is no such source, set, data set or view.
        UsageError: the source has no readings, or several sets and none was named.
        TableError: a table is damaged.
    """
    warehouse = ready_source(source_name).warehouse()
    chosen = chosen_set(warehouse, source_name, set_name)
    rows = warehouse.labels(dataset, view)
    readings = warehouse.readings(chosen)
    votes, counted = votes_on(rows, readings), votes_on(rows, counted_readings(readings))
    patients = rows["patient"].to_numpy(np.int64)
    return Meaning(
        source=source_name,
        set=chosen,
        dataset=dataset,
        view=view,
        readers=votes.readers,
        labels={label: _shares(rows, (counted, votes), label, patients) for label in LABELS},
        agreement={label: _agreement(votes, label, patients) for label in LABELS},
        rows_by_study=int(votes.from_study.sum()),
    )


def reading_sets(source_name: str) -> list[str]:
    """Return the names of the sets of readings of a source."""
    return ready_source(source_name).warehouse().reading_sets()


def chosen_set(warehouse: Warehouse, source_name: str, set_name: str | None) -> str:
    """Return the set of readings that is asked for, or the only one that there is.

    Raises:
        UsageError: there is none, or there are several and none was named.
    """
    if set_name is not None:
        return set_name
    sets = warehouse.reading_sets()
    if not sets:
        raise UsageError(
            f"The source {source_name} has no readings. Import some with `python -m cxr_core import readings`."
        )
    if len(sets) > 1:
        raise UsageError(
            f"The source {source_name} has several sets of readings: {', '.join(sets)}. Name one by --set."
        )
    return sets[0]


def write_policy(found: Meaning, file: Path, w: float, replace: bool = False, blanks: bool = False) -> Policy:
    """Write the policy that the readings give, of blanks too where that is asked, as a policy file, and return it.

    Raises:
        UsageError: no uncertain image was read.
        ExistsError: the file exists and is not to be replaced.
    """
    policy = found.policy(w, file.stem, blanks)
    if file.exists() and not replace:
        raise ExistsError(f"{file} exists already. Use --replace to replace it, or name another file.")
    write_text(file, policy_text(found, policy))
    return policy


def policy_text(found: Meaning, policy: Policy) -> str:
    """Return a policy that follows from readings as a policy file, with the counts behind each u."""
    lines = [f"# Share present among the uncertain, by the readers of {found.set}."]
    for label, *numbers in zip(LABELS, *policy.numbers().values(), strict=True):
        counted = found.labels[label]["uncertain"]
        known = list(zip(policy.numbers(), numbers, strict=True))[: 4 if policy.says_of_blanks else 2]
        said = ", ".join(f"{name} = {number:g}" for name, number in known)
        read, present = counted.counted
        lines.append(f"{label} = {{{said}}}  # {present} of {read} read")
    return "\n".join(lines) + "\n"


def _shares(rows: pd.DataFrame, votes: tuple[Votes, Votes], label: str, patients: IntArray) -> dict[str, PresentShare]:
    """Return the shares by the votes that count, beside what all say."""
    (verdicts, of_all), values = (majority(one.of(label)) for one in votes), rows[label].to_numpy()
    each: Mapping[str, BoolArray] = {name: values == Value[name] for name in VALUES}
    return {name: present_share(verdicts[having], patients[having], of_all[having]) for name, having in each.items()}


def _agreement(votes: Votes, label: str, patients: IntArray) -> Agreement:
    read = votes.read
    return agreement(votes.of(label)[read], patients[read], settings().resamples)


def _share_json(share: PresentShare) -> dict[str, Any]:
    return {
        "n": share.n,
        "n_read": share.n_read,
        "n_present": share.n_present,
        "share": share.share,
        "share_ci": bounds_as_json(share.ci),
        "n_patients": share.n_patients,
        "n_set_aside": share.n_set_aside,
        "n_present_set_aside": share.n_present_set_aside,
        "more_to_read": share.more_to_read,
        "why": share.why,
    }


def _agreement_json(found: Agreement) -> dict[str, Any]:
    return {
        "n": found.n,
        "pairs": found.pairs,
        "kappa": found.kappa,
        "kappa_ci": bounds_as_json(found.ci),
        "why": found.why,
    }
