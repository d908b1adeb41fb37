"""Writing a source's predictions into a BigQuery table, where its configuration allows that."""

from cxr_core.errors import UsageError, brief
from cxr_core.warehouse.bigquery import bigquery_runner
from cxr_core.warehouse.google_write import write_predictions
from cxr_core.warehouse.tables import check_table, tables_like
from cxr_core.warehouse.warehouse import Warehouse


def export_rows(warehouse: Warehouse, model: str, location: str, replace: bool) -> tuple[int, str]:
    """Write a model's predictions into a BigQuery table and return the number of its rows, and their scale.

    Raises:
        UsageError: the table does not lie in the data set `write`, or is one that the source reads from.
        ExistsError: it exists and is not to be replaced.
    """
    tables = warehouse.tables
    check_table(location)
    if location.rpartition(".")[0] != tables.write:
        raise UsageError(
            f"Predictions may only be written into the data set {tables.write}, as `write` in cxr.toml says. "
            f"Received: {brief(location)}."
        )
    here, rows, scale = warehouse.stored_predictions(model)
    if location == here or any(tables_like(labels, [location]) for labels in tables.labels):
        raise UsageError(f"The table {location} is read by this source. Write to another name.")
    write_predictions(bigquery_runner(tables), location, rows, scale, replace)
    return rows.num_rows, scale
