"""Which record files a prediction reads, of which view and data sets, with everything about them checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cxr_core.errors import UsageError
from cxr_core.file_patterns import Limits
from cxr_core.records.foreign import in_own_form
from cxr_core.records.layout import check_records, equalised, find_records
from cxr_core.schema import dataset_code, view_code
from cxr_core.sources.source import Source

#: What is predicted unless something else is asked for: the data sets on which models are judged.
_USUAL_DATASETS = ("valid", "test")


class Trained(Protocol):
    """What must be known of a model: the view it was trained on, and how its images were prepared; None if not told."""

    @property
    def view(self) -> str | None:
        """A view of training."""

    @property
    def equalised(self) -> bool | None:
        """Whether the histograms were made flat."""


@dataclass(frozen=True)
class RecordsToPredict:
    """What is to be predicted: the record files, of which view, and of which data sets if that is known before."""

    files: tuple[str, ...]
    view: str
    datasets: tuple[str, ...]
    images: int


def records_to_predict(
    source: Source,
    info: Trained,
    model: str,
    dataset: str | None,
    view: str | None,
    records: str,
    limits: Limits | None,
) -> RecordsToPredict:
    """Find and check the records of what is asked for.

    Raises:
        UsageError: no records match, no view is known, or their pictures were prepared in another way.
        RecordError: a record file is damaged, lacks the keys, or holds another view or image size.
    """
    chosen = view or info.view
    if chosen is None:
        raise UsageError(f"Nothing says which view the model {model} was trained on. Choose one with --view.")
    view_code(chosen)
    pattern = records or source.records
    if dataset is not None:
        dataset_code(dataset)
    names = _datasets(pattern, dataset, chosen, limits)
    found = [path for name in names or ("",) for path in find_records(pattern, name, chosen, limits)]
    files = in_own_form(found)
    _check_equalised(info, files)
    return RecordsToPredict(tuple(files), chosen, names, check_records(files, chosen, with_keys=True).images)


def _check_equalised(info: Trained, files: Sequence[str]) -> None:
    """Refuse records whose pictures were prepared in another way than those that the model was trained on."""
    if info.equalised is not None and equalised(files) != info.equalised:
        trained, given = ("equalised", "plain") if info.equalised else ("plain", "equalised")
        way = "with" if info.equalised else "without"
        raise UsageError(
            f"The model was trained on {trained} pictures, the records hold {given} ones. Import the images "
            f"{way} --equalise."
        )


def _datasets(pattern: str, dataset: str | None, view: str, limits: Limits | None) -> tuple[str, ...]:
    """Return the data sets to predict; none where the pattern leaves it to the records to say."""
    if dataset is not None or "{dataset}" not in pattern:
        return () if dataset is None else (dataset,)
    found = tuple(name for name in _USUAL_DATASETS if _has_records(pattern, name, view, limits))
    return found or _USUAL_DATASETS[:1]


def _has_records(pattern: str, dataset: str, view: str, limits: Limits | None) -> bool:
    try:
        return bool(find_records(pattern, dataset, view, limits))
    except UsageError:
        return False
