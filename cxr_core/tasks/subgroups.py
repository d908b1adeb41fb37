"""The same figures for parts of the images: by view, by data set, or by a column of the label table."""

from dataclasses import dataclass

from cxr_core.errors import UnknownNameError
from cxr_core.evaluation.subgroups import Subgroup, evaluate_subgroups
from cxr_core.schema import DATASETS, REPORT, VIEWS, check_label
from cxr_core.settings import settings
from cxr_core.sources.registry import get_source
from cxr_core.tasks.evaluate import joined_predictions, predicted
from cxr_core.tasks.groups import row_groups, ways_to_split

__all__ = ["Subgroups", "subgroups", "ways_to_split"]


@dataclass(frozen=True)
class Subgroups:
    """One label of one model, split by `by`; the threshold is the same for all groups."""

    model: str
    label: str
    by: str
    threshold: float | None
    groups: list[Subgroup]


def subgroups(
    source_name: str,
    model: str,
    label: str,
    by: str,
    dataset: str = "valid",
    view: str | None = None,
    threshold: float | None = None,
    judge: str = REPORT,
) -> Subgroups:
    """Evaluate one label of a model in each group of images.

    Args:
        source_name: the source.
        model: a model with predictions.
        label: one of the 14 labels, which the model must have.
        by: one of `ways_to_split`; `dataset` looks at every data set that the model predicts.
        dataset: the data set otherwise.
        view: only images of this view.
        threshold: of the operating point, on the stored scale; None for none.
        judge: who says what is positive: `report`, `truth` or a set of readings.

    Raises:
        UnknownNameError: there is no such source, model, label, data set, view or column.
        TableError: a table is damaged, or a path occurs more than once.
        WarehouseError: the warehouse could not answer.
    """
    check_label(label)
    known = ways_to_split(source_name)
    if by not in known:
        raise UnknownNameError("way to split", by, known)
    warehouse = get_source(source_name).warehouse()
    datasets = warehouse.prediction_table(model).datasets if by == "dataset" else (dataset,)
    each = {name: joined_predictions(source_name, model, name, view, judge) for name in datasets}
    chosen, found = settings(), []
    for name, joined in each.items():
        if label not in joined.labels:
            raise UnknownNameError(f"label of model {model}", label, joined.labels)
        found += evaluate_subgroups(
            joined.frame[f"true_{label}"].to_numpy(),
            predicted(joined.frame, [label])[label],
            joined.frame["patient"].to_numpy(),
            row_groups(source_name, joined, by, name),
            threshold,
            label,
            chosen.resamples,
            chosen.minimum_positives,
            chosen.intervals,
        )
    return Subgroups(model, label, by, threshold, sorted(found, key=lambda one: _order(by, one.group)))


def _order(by: str, group: str) -> int:
    if by == "dataset":
        return DATASETS.index(group)
    return VIEWS.index(group) if by == "view" and group in VIEWS else 0
