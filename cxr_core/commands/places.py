"""`places`: where runs can work, and whether each place is ready."""

import argparse

from cxr_core.commands.output import as_table
from cxr_core.commands.parsing import Answer, Command, Parser
from cxr_core.tasks.places import PlaceReport, place_reports


def _arguments(parser: Parser) -> None:
    told = "ask each place: does it answer, has it the same version, does it see the folder and the source's records?"
    parser.add_argument("--check", action="store_true", help=told)


def _execute(arguments: argparse.Namespace) -> Answer:
    reports = place_reports(arguments.source, arguments.check)
    status = 1 if arguments.check and any(report.problems for report in reports) else 0
    return Answer([report.as_json() for report in reports], lambda: _text(reports), status)


def _text(reports: list[PlaceReport]) -> str:
    rows = [(one.place, one.kind, one.folder or "-", _found(one)) for one in reports]
    costs = [f"A run at {one.place} costs: {one.cost}." for one in reports if one.cost]
    return "\n".join([as_table(("place", "kind", "folder", "found"), rows), *costs])


def _found(report: PlaceReport) -> str:
    return " ".join(report.problems) or ("ready" if report.checked else "not asked")


PLACES = Command("places", "List the places where runs can work, with what is wrong with them.", _arguments, _execute)
