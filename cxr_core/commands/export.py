"""`export predictions`: a model's predictions into a BigQuery table of the user's."""

import argparse

from cxr_core.commands.parsing import Answer, Command, Parser
from cxr_core.errors import UnknownNameError
from cxr_core.tasks.export import export_predictions
from cxr_core.words import counted

_WHAT = ("predictions",)


def _arguments(parser: Parser) -> None:
    add = parser.add_argument
    add("what", metavar="WHAT", help="predictions")
    add("--model", required=True, metavar="NAME", help="a model with predictions; an ensemble is one too")
    add("--to", default="", metavar="TABLE", help="project.dataset.table, in the data set that `write` allows")
    add("--replace", action="store_true", help="overwrite a table that exists")


def _execute(arguments: argparse.Namespace) -> Answer:
    if arguments.what not in _WHAT:
        raise UnknownNameError("kind of export", arguments.what, _WHAT)
    done = export_predictions(arguments.source, arguments.model, arguments.to, arguments.replace)
    text = f"Wrote {counted(done.images, 'prediction')} of {done.model} ({done.scale}) to {done.table}"
    return Answer(done.as_json(), lambda: text)


EXPORT = Command("export", "Write a model's predictions to BigQuery.", _arguments, _execute)
