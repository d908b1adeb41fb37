"""Listing the models of a source: those with weights, those with predictions, and those with both."""

from cxr_core.errors import TableError
from cxr_core.models.listing import ModelEntry, list_models
from cxr_core.schema import DEFAULT_SCALE
from cxr_core.sources.registry import ready_source
from cxr_core.stamps import one_look
from cxr_core.warehouse.answers import PredictionTable
from cxr_core.warehouse.warehouse import Warehouse


def models(source_name: str, counted: bool = False) -> list[ModelEntry]:
    """Return the models of a source, sorted by name; one whose prediction table is damaged has no predictions.

    Args:
        source_name: a source.
        counted: whether BigQuery, which bills it, is asked for the images of each data set in each table; else its
            catalogue tells the rows, and nothing of the data sets: there are predictions of any of them.

    Raises:
        UnknownNameError: there is no such source.
        UsageError: the source is the demo, which is not built yet.
        WarehouseError: the warehouse could not answer.
    """
    source = ready_source(source_name)
    warehouse = source.warehouse()
    with one_look():
        names = warehouse.prediction_tables()
        warehouse.states(names)  # all at once, where each would wait for the one before
        tables = [_described(warehouse, name, counted) for name in names]
    return list_models(source.models, tables)


def _described(warehouse: Warehouse, name: str, counted: bool) -> PredictionTable:
    try:
        return warehouse.prediction_table(name) if counted else warehouse.listed_table(name)
    except TableError:
        # The other models stay usable; what is wrong stands among the problems of the source.
        return PredictionTable(name, scale=DEFAULT_SCALE, labels=(), images=0, datasets=(), location="")
