"""Giving a model's predictions, of a finished run or an ensemble, to a BigQuery table of the user's."""

from dataclasses import asdict, dataclass

from cxr_core.errors import UsageError
from cxr_core.schema import PREDICTIONS_SUFFIX
from cxr_core.sources.registry import ready_source
from cxr_core.warehouse.export import export_rows


@dataclass(frozen=True)
class Exported:
    """What was written: whose predictions, into which table, of how many rows, on which scale."""

    model: str
    table: str
    images: int
    scale: str

    def as_json(self) -> dict[str, object]:
        """Return what `export predictions --json` prints."""
        return asdict(self)


def export_predictions(source_name: str, model: str, to: str = "", replace: bool = False) -> Exported:
    """Write all predictions of a model into a BigQuery table.

    Args:
        source_name: the source of the model; its key `write` in cxr.toml names the data set that may be written to.
        model: a model with predictions.
        to: `project.dataset.table` in that data set; by default `<write>.<model>_predictions`.
        replace: whether a table that exists is overwritten.

    Raises:
        UnknownNameError: there is no such source or model.
        UsageError: the configuration does not allow it, or the name is no table's.
        ExistsError: the table exists.
        AccessError, TableError, WarehouseError: BigQuery refuses, or cannot be reached.
    """
    source = ready_source(source_name)
    if source.write is None:
        raise UsageError(
            f"The source {source_name} may not write to BigQuery. Allow it with a line such as "
            '`write = "your-project.your_dataset"` under the source in cxr.toml.'
        )
    location = to or f"{source.write}.{model}{PREDICTIONS_SUFFIX}"
    images, scale = export_rows(source.warehouse(), model, location, replace)
    return Exported(model, location, images, scale)
