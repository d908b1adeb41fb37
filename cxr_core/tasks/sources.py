"""Listing the sources: what each has, what is missing, and how to fix it."""

from dataclasses import asdict, dataclass

from cxr_core.caller import ADMIN, require
from cxr_core.cloud_storage import forget_listings
from cxr_core.errors import CxrError, SettingsError, UsageError
from cxr_core.sources.kept_answers import keep_null_rule as keep_answer
from cxr_core.sources.registry import get_source, is_built, problems, record_files, source_names
from cxr_core.sources.source import Source
from cxr_core.warehouse.google_client import forget_clients

# The command line shows them, and knows no warehouse.
from cxr_core.warehouse.null_labels import NULL_RULES as NULL_RULES  # noqa: PLC0414

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


def keep_null_rule(source_name: str, rule: str) -> None:
    """Keep in the workspace what NULL labels of a BigQuery source are.

    Raises:
        UnknownNameError: there is no such source or rule.
        UsageError: the source has none in BigQuery, or its definition says something else.
    """
    require(ADMIN, "answer for a source")
    source = get_source(source_name)
    if source.kind != "bigquery":
        raise UsageError(f"Only NULL labels in BigQuery's tables are asked about. {source_name} has files.")
    keep_answer(source.folder, rule)
    if (said := get_source(source_name).null_is) != rule:
        raise UsageError(f"The definition of {source_name} says null_is = {said!r}, and counts before an answer.")


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
