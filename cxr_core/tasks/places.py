"""The places where runs can work: listed, and looked at whether they are ready."""

from dataclasses import asdict, dataclass

from cxr_core.errors import CxrError
from cxr_core.records.layout import find_records
from cxr_core.runs.places.check import definition_problems, place_problems
from cxr_core.runs.places.registry import check_names, get_place, place_names
from cxr_core.runs.run import HERE
from cxr_core.schema import DATASETS, TRAINING_VIEWS
from cxr_core.settings import configured_places
from cxr_core.sources.registry import get_source


@dataclass(frozen=True)
class PlaceReport:
    """What is known of a place: its kind, the folder that it shares with this machine ("" for this machine itself).

    `checked` says whether it was asked; `problems` are sentences that say what is wrong and what to do; `cost` says
    what a run costs there, "" where nobody bills.
    """

    place: str
    kind: str
    folder: str
    checked: bool
    problems: list[str]
    cost: str = ""

    def as_json(self) -> dict[str, object]:
        """Return what `places --json` prints of this place."""
        return asdict(self)


def place_reports(source_name: str, asked: bool = False) -> list[PlaceReport]:
    """Return a report of every place, this machine first.

    Args:
        source_name: the source whose records a place should be able to read.
        asked: whether each place is asked, which may take a minute where one does not answer.

    Raises:
        UnknownNameError: there is no such source.
        SettingsError: `cxr.toml` is wrong as a whole.
    """
    check_names()
    records = _some_records(source_name) if asked else []
    reports = [PlaceReport(HERE, HERE, "", asked, [])]
    for name in place_names()[1:]:
        problems = place_problems(name, records) if asked else definition_problems(name)
        table = configured_places()[name]
        folder, cost = str(table.get("folder", "")), _cost(name)
        reports.append(PlaceReport(name, str(table.get("kind")), folder, asked, problems, cost))
    return reports


def _cost(name: str) -> str:
    try:
        return get_place(name).terms().cost
    except CxrError:  # its problems say what is wrong
        return ""


def _some_records(source_name: str) -> list[str]:
    """Return one record file of each data set and view that the source has."""
    source, found = get_source(source_name), []
    for dataset in DATASETS:
        for view in TRAINING_VIEWS:
            try:
                found += [str(file) for file in find_records(source.records, dataset, view)][:1]
            except CxrError:  # `sources` says what is wrong with a source
                continue
    return found
