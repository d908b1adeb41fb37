"""`report`: the pack of a paper, from the store or from the document of a former pack."""

import argparse

from cxr_core.commands.parsing import Answer, Command, Parser
from cxr_core.errors import UsageError
from cxr_core.schema import REPORT
from cxr_core.words import counted


def _arguments(parser: Parser) -> None:
    add = parser.add_argument
    add("models", nargs="*", metavar="MODEL", help="models with predictions; differences are of each two of them")
    add("--to", required=True, metavar="FOLDER", help="the folder to write")
    add(
        "--from",
        dest="document",
        metavar="FILE.json",
        help="the pack.json of a pack, which is made again; no MODEL then",
    )
    add("--at", action="append", default=[], metavar="CARD", help="a threshold card of a model, judged on these images")
    add(
        "--by",
        action="append",
        default=[],
        metavar="COLUMN",
        help="the groups that are told of, as for gaps; without it sex and age, where the source has them",
    )
    add("--dataset", default="valid", help="train, valid or test (default %(default)s)")
    add("--view", help="only images of this view; without it, all that are predicted")
    add("--judge", default=REPORT, metavar="WHO", help="report, truth, or a set of readings (default %(default)s)")
    add("--replace", action="store_true", help="replace a pack that is there")


def _execute(arguments: argparse.Namespace) -> Answer:
    # Matplotlib takes a second to load.
    from cxr_core.tasks.report import rewrite_report, write_report

    if bool(arguments.models) == bool(arguments.document):
        raise UsageError("Name the models of the report, or --from the pack.json of a former one.")
    if arguments.document:
        done = rewrite_report(arguments.document, arguments.to, arguments.replace)
    else:
        where = (arguments.dataset, arguments.view, arguments.judge)
        what = (arguments.at, arguments.replace, arguments.by)
        done = write_report(arguments.source, arguments.models, arguments.to, *where, *what)
    text = f"Wrote {counted(len(done.files), 'file')} to {done.folder}; open {done.folder}/index.html"
    return Answer(done.as_json(), lambda: text, complaint=done.remark)


REPORT_COMMAND = Command("report", "Write page, figures, tables and checklists for a paper.", _arguments, _execute)
