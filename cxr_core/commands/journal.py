"""`journal`: who did what and when, filtered, and as a table for a spreadsheet."""

import argparse
from pathlib import Path

from cxr_core.atomic import write_bytes
from cxr_core.commands.output import as_table
from cxr_core.commands.parsing import Answer, Command, Parser
from cxr_core.errors import ExistsError
from cxr_core.journal import Deed, broken_at
from cxr_core.tasks.journal_table import HEADERS, as_csv, cells, found_deeds


def _arguments(parser: Parser) -> None:
    parser.add_argument("--who", default="", metavar="NAME", help="only what this person did")
    parser.add_argument("--what", default="", metavar="WORDS", help='only what begins so, as "run" or "run deleted"')
    parser.add_argument("--since", default="", metavar="TIME", help="only since then, as 2026-11 or 2026-11-26T08:00")
    parser.add_argument("--search", default="", metavar="TEXT", help="only lines in which all these words occur")
    parser.add_argument("--to", metavar="FILE.csv", help="write them as a table, too")
    parser.add_argument("--replace", action="store_true", help="replace a file that is there")


def _execute(arguments: argparse.Namespace) -> Answer:
    found = found_deeds(arguments.who, arguments.what, arguments.since, arguments.search)
    if arguments.to:
        file = Path(arguments.to)
        if file.exists() and not arguments.replace:
            raise ExistsError(f"{file} is there already. Name another file, or use --replace.")
        write_bytes(file, as_csv(found))
    broken = broken_at()
    complaint = "" if broken is None else f"Line {broken} of the journal is not as it was written."
    return Answer([deed.as_json() for deed in found], lambda: _text(found), complaint=complaint)


def _text(found: list[Deed]) -> str:
    return as_table(HEADERS, [cells(deed) for deed in found]) if found else "Nothing of that kind was done here."


JOURNAL = Command("journal", "List who did what and when: runs, imports, deletes, downloads.", _arguments, _execute)
