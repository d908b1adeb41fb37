"""Listing the sources: what each has, what is missing, and how to fix it."""

from dataclasses import asdict, dataclass

from cxr_core.errors import CxrError
from cxr_core.sources.registry import is_built, list_sources, problems, record_files
from cxr_core.sources.source import Source


@dataclass(frozen=True)
class SourceReport:
    """What was found in a source.

    `labels` are its label tables, `predictions` the names of the models that have a prediction table, `records` the
    number of TFRecord files as {data set: {view: files}}, `models` the names of those with weights on this machine,
    and `problems` sentences that say what is wrong and how to fix it.
    """

    source: str
    kind: str
    labels: list[str]
    predictions: list[str]
    records: dict[str, dict[str, int]]
    models: list[str]
    problems: list[str]

    def as_json(self) -> dict[str, object]:
        """Return what `sources --json` prints for this source."""
        return asdict(self)


def source_reports() -> list[SourceReport]:
    """Return a report of every source, the demo first; a `bigquery` source is asked over the network."""
    return [source_report(source) for source in list_sources()]


def source_report(source: Source) -> SourceReport:
    """Return a report of one source."""
    if not is_built(source):
        return SourceReport(source.name, source.kind, [], [], {}, [], problems(source))
    return SourceReport(
        source=source.name,
        kind=source.kind,
        labels=list(source.tables.labels),
        predictions=_predictions(source),
        records=record_files(source),
        models=sorted(source.weights()),
        problems=problems(source),
    )


def _predictions(source: Source) -> list[str]:
    try:
        return source.warehouse().prediction_tables()
    except CxrError:
        # `problems` says why.
        return []
