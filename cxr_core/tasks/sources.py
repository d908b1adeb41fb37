"""Listing the sources: what each has, what is missing, and how to fix it."""

from dataclasses import asdict, dataclass

from cxr_core.cloud_storage import forget_listings
from cxr_core.errors import CxrError, SettingsError
from cxr_core.sources.registry import get_source, is_built, problems, record_files, source_names
from cxr_core.sources.source import Source
from cxr_core.warehouse.google_client import forget_clients

#: The kind of a source whose definition cannot be understood.
UNKNOWN_KIND = "unknown"


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
    """Return a report of every source, the demo first; a `bigquery` source is asked over the network.

    A source whose definition is wrong stands among them with that problem, of the kind `unknown`.
    """
    return [report_of(name) for name in source_names()]


def source_report(source: Source) -> SourceReport:
    """Return a report of one source."""
    if not is_built(source):
        return SourceReport(source.name, source.kind, [], [], {}, [], problems(source))
    return SourceReport(
        source=source.name,
        kind=source.kind,
        labels=_labels(source),
        predictions=_predictions(source),
        records=record_files(source),
        models=sorted(source.weights()),
        problems=problems(source),
    )


def report_of(name: str) -> SourceReport:
    """Return the report of the source of that name."""
    try:
        return source_report(get_source(name))
    except SettingsError as error:
        return SourceReport(name, UNKNOWN_KIND, [], [], {}, [], [str(error)])


def _labels(source: Source) -> list[str]:
    try:
        return list(source.tables.labels)
    except CxrError:
        return []


def refresh(source_name: str) -> None:
    """Forget what the tables of a source answered, so that each question is asked (and, in BigQuery, billed) anew."""
    get_source(source_name).warehouse().refresh()


def connect_anew() -> None:
    """Connect to Google again at the next question: somebody may have signed in, or put something right, meanwhile."""
    forget_clients()
    forget_listings()


def _predictions(source: Source) -> list[str]:
    try:
        return source.warehouse().prediction_tables()
    except CxrError:
        # `problems` says why.
        return []
