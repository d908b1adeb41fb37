"""What is wrong with the tables of a source, one sentence each, so that all of it can be put right at once."""

from collections.abc import Callable, Mapping, Sequence

from cxr_core.errors import AccessError, CxrError, TableError
from cxr_core.schema import KEY_COLUMNS, LABELS
from cxr_core.warehouse.sql_runner import SqlRunner, TableInfo


def problems_of(
    main: SqlRunner,
    labels: Callable[[], Sequence[str]],
    runner_of: Callable[[str], SqlRunner],
    predictions: Callable[[], Mapping[str, str]],
    estimate: Callable[[None], object],
) -> list[str]:
    """Return what is wrong with label tables and prediction tables; empty when all can be answered.

    Args:
        main: the runner of the label tables.
        labels: returns where they lie.
        runner_of: returns the runner of a prediction table.
        predictions: returns each model's table.
        estimate: asks what the distribution would read, which finds what is wrong besides.
    """
    problems: list[str] = []
    try:
        for location in labels():
            problems += _problems_of(main, location, (*KEY_COLUMNS, *LABELS), "label")
        if labels() and not problems:
            # What a dry run finds besides: who pays may not ask, or may see a table and not read it.
            estimate(None)
        for location in predictions().values():
            problems += _problems_of(runner_of(location), location, KEY_COLUMNS, "prediction")
    except CxrError as error:
        # No connection or no permission: the next table would wait for the same answer.
        problems.append(str(error))
    return problems


def labels_of(info: TableInfo, location: str) -> tuple[str, ...]:
    """Return the labels that a table has, in the order of the schema; `TableError` when it has none."""
    labels = tuple(label for label in LABELS if label in _lower(info))
    if not labels:
        raise TableError(f"The table {location} must have at least one label column. Received: none.")
    return labels


def _problems_of(runner: SqlRunner, location: str, needed: Sequence[str], what: str) -> list[str]:
    """Return what is wrong with one table; an error that is not about this table alone is raised."""
    try:
        info = runner.describe(location)
        labels_of(info, location)
    except (TableError, AccessError) as error:
        return [str(error)]
    missing = [name for name in needed if name not in _lower(info)]
    return [f"The {what} table {location} lacks {', '.join(missing)}. Write or import it again."] if missing else []


def _lower(info: TableInfo) -> set[str]:
    """Return the columns in lower case: SQL knows no other difference between them."""
    return {name.lower() for name in info.columns}
