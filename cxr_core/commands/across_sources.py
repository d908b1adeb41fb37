"""`compare --also-in SOURCE --also-by JUDGE`: the models of several sources and judges in one table."""

import argparse

from cxr_core.commands.output import as_table
from cxr_core.commands.parsing import Answer, Parser
from cxr_core.tasks.across_sources import AcrossSources, across_sources
from cxr_core.tasks.across_table import across_table, write_table

_MEAN = "mean"


def across_arguments(parser: Parser) -> None:
    """Add what asks for the table of several sources and judges."""
    add = parser.add_argument
    add(
        "--also-in",
        action="append",
        default=[],
        metavar="SOURCE",
        help="one table of --source and this one, a column a source and judge; several times for several",
    )
    add("--also-by", action="append", default=[], metavar="WHO", help="the same for another judge than --judge")
    add("--label", default=_MEAN, metavar="LABEL", help="of that table, and of --beside (default %(default)s)")
    add("--to", metavar="FILE", help="also write that table: .csv or .tex")
    add("--replace", action="store_true", help="overwrite FILE")


def asked_label(arguments: argparse.Namespace) -> str | None:
    """Return the label that is asked for, None for the mean over all."""
    return None if arguments.label == _MEAN else str(arguments.label)


def asks_across(arguments: argparse.Namespace) -> bool:
    """Return whether the table of several sources and judges is asked for."""
    return bool(arguments.also_in or arguments.also_by or arguments.to)


def across(arguments: argparse.Namespace, models: list[str], figure: str) -> Answer:
    """Return the table, and write it where a file is named."""
    judges = [arguments.judge, *arguments.also_by]
    where = (arguments.dataset, arguments.view, figure, arguments.also_in)
    found = across_sources(arguments.source, models, judges, *where)
    table = across_table(found, arguments.label)
    document = found.as_json()
    if arguments.to:
        document["file"] = write_table(table, arguments.to, arguments.replace)
    return Answer(document, lambda: _text(found, arguments.label))


def _text(found: AcrossSources, label: str) -> str:
    table = across_table(found, label)
    heads = [column.head for column in table.columns]
    return "\n\n".join([table.caption, as_table(heads, table.texts()), "\n".join(table.notes)])
