"""A source: a named data set with its label tables, prediction tables, TFRecords and models."""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cxr_core.errors import CxrError
from cxr_core.file_patterns import has_wildcards
from cxr_core.locations import is_remote
from cxr_core.schema import PREDICTIONS_SUFFIX, check_name, check_set_name
from cxr_core.storage import cache_folder, matching
from cxr_core.warehouse.tables import MODEL_FIELD, Kind, TableSet, files_by_model, is_file

if TYPE_CHECKING:
    from cxr_core.warehouse.warehouse import Warehouse


@dataclass(frozen=True)
class Source:
    """Where the parts of a named data set lie; all local paths are absolute, and any file may lie on gs://.

    `labels` are Parquet files (they may hold `*`) or BigQuery tables; `predictions` and `models` patterns with
    `{model}` and `records` one with `{dataset}` and `{view}`, where those that the product writes itself come
    last. `readings` are such patterns too, in which the name of a set stands where a model's does.
    `folder` is where it writes: the source's part of the workspace, which need not exist yet. `synthetic` says that
    no patient stands behind the data, `truth` is a table of what was really there, or None. `null_is` says what NULL
    labels of BigQuery are, None where nobody said it.
    """

    name: str
    kind: Kind
    folder: Path
    labels: tuple[str, ...]
    predictions: tuple[str, ...]
    models: tuple[str, ...]
    records: str
    truth: Path | None = None
    project: str | None = None
    maximum_bytes_billed: int | None = None
    credentials: str | None = None
    location: str | None = None
    write: str | None = None
    synthetic: bool = False
    readings: tuple[str, ...] = ()
    null_is: str | None = None

    @property
    def tables(self) -> TableSet:
        """The tables as they are on the disk now: `*` in the names of label files is resolved."""
        labels = tuple(found for label in self.labels for found in (_files(label) if is_file(label) else [label]))
        files = [*filter(is_file, labels), *filter(is_file, self.predictions), *filter(is_file, self.readings)]
        folders = {self.folder, *(cache_folder() if is_remote(file) else Path(file).parent for file in files)}
        if self.truth is not None:
            folders.add(self.truth.parent)
        return TableSet(
            kind=self.kind,
            labels=labels,
            predictions=self.predictions,
            truth=self.truth,
            project=self.project,
            maximum_bytes_billed=self.maximum_bytes_billed,
            credentials=self.credentials,
            location=self.location,
            write=self.write,
            readings=self.readings,
            groups=own_groups(self.folder),
            allowed=tuple(sorted(folders)),
            null_is=self.null_is,
            source=self.name,
        )

    def warehouse(self) -> "Warehouse":
        """Return the warehouse that answers questions about the tables.

        Loaded here, because the process that trains asks none, and DuckDB and pandas take seconds.
        """
        from cxr_core.warehouse.warehouse import open_warehouse

        return open_warehouse(self.tables)

    def has_predictions(self, model: str) -> bool:
        """Say whether there is a prediction table of a model; where all are files, the warehouse is not asked."""
        if all(map(is_file, self.predictions)):
            return any(model in files_by_model(pattern) for pattern in self.predictions)
        return model in self.warehouse().prediction_tables()

    def weights(self) -> dict[str, str]:
        """Return the models that have weights, and their files; the first pattern wins.

        A gs:// pattern that cannot be asked is left out: nobody who works here has to be connected for it.
        """
        found: dict[str, str] = {}
        for pattern in self.models:
            with contextlib.suppress(CxrError):
                found = files_by_model(pattern) | found
        return found

    def predictions_path(self, model: str) -> Path:
        """Return where the product writes the prediction table of a model."""
        return Path(own_predictions(self.folder).replace(MODEL_FIELD, check_name("model", model)))

    def readings_path(self, set_name: str) -> Path:
        """Return where the product writes a set of readings."""
        return Path(own_readings(self.folder).replace(MODEL_FIELD, check_set_name(set_name)))

    def model_path(self, model: str) -> Path:
        """Return where the product writes the weights of a model."""
        return Path(own_models(self.folder).replace(MODEL_FIELD, check_name("model", model)))


def own_groups(folder: Path) -> Path:
    """Return where further columns of the label rows lie, which the product writes."""
    return folder / "groups" / "columns.parquet"


def own_readings(folder: Path) -> str:
    """Return the pattern of the readings tables that the product writes."""
    return str(folder / "readings" / f"{MODEL_FIELD}.parquet")


def own_labels(folder: Path) -> str:
    """Return the pattern of the label tables that the product writes."""
    return str(folder / "labels*.parquet")


def own_predictions(folder: Path) -> str:
    """Return the pattern of the prediction tables that the product writes."""
    return str(folder / "predictions" / f"{MODEL_FIELD}{PREDICTIONS_SUFFIX}.parquet")


def own_models(folder: Path) -> str:
    """Return the pattern of the weights that the product writes."""
    return str(folder / "models" / f"{MODEL_FIELD}.h5")


def own_records(folder: Path) -> str:
    """Return the pattern of the TFRecords that the product writes."""
    return str(folder / "records" / "{dataset}" / "{view}*")


def _files(pattern: str) -> list[str]:
    """Return the files that match; a name without wildcards stands for itself, also when nothing is there."""
    return matching(pattern) if has_wildcards(pattern) else [pattern]
