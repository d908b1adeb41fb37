"""Listing the models of a source: those with weights, those with predictions, and those with both."""

from cxr_core.models.registry import ModelEntry, list_models
from cxr_core.sources.registry import ready_source


def models(source_name: str) -> list[ModelEntry]:
    """Return the models of a source, sorted by name.

    Raises:
        UnknownNameError: there is no such source.
        UsageError: the source is the demo, which is not built yet.
        WarehouseError: the warehouse could not answer.
    """
    source = ready_source(source_name)
    warehouse = source.warehouse()
    tables = [warehouse.prediction_table(name) for name in warehouse.prediction_tables()]
    return list_models(source.models, tables)
