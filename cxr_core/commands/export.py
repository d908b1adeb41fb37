"""`export`: a model's predictions into a BigQuery table of the user's, or a model into files for others."""

import argparse

from cxr_core.commands.parsing import Answer, Command, Parser
from cxr_core.errors import UnknownNameError
from cxr_core.tasks.export import export_predictions
from cxr_core.tasks.export_model import export_model
from cxr_core.tasks.export_network import NETWORK_FORMS, export_network
from cxr_core.words import counted

_WHAT = ("predictions", "model", *NETWORK_FORMS)


def _arguments(parser: Parser) -> None:
    add = parser.add_argument
    add(
        "what",
        metavar="WHAT",
        help="predictions; model: its weights and its cards; onnx or saved-model: the network for other programs",
    )
    add("--model", required=True, metavar="NAME", help="a model with predictions; an ensemble is one too; or weights")
    add(
        "--to",
        default="",
        metavar="WHERE",
        help="project.dataset.table, in the data set that `write` allows; FILE.zip; FILE.onnx; a folder",
    )
    add("--replace", action="store_true", help="overwrite a table or file that exists")


def _execute(arguments: argparse.Namespace) -> Answer:
    if arguments.what not in _WHAT:
        raise UnknownNameError("kind of export", arguments.what, _WHAT)
    if arguments.what in NETWORK_FORMS:
        return _network(arguments)
    return _model(arguments) if arguments.what == "model" else _predictions(arguments)


def _predictions(arguments: argparse.Namespace) -> Answer:
    done = export_predictions(arguments.source, arguments.model, arguments.to, arguments.replace)
    text = f"Wrote {counted(done.images, 'prediction')} of {done.model} ({done.scale}) to {done.table}"
    return Answer(done.as_json(), lambda: text)


def _model(arguments: argparse.Namespace) -> Answer:
    done = export_model(arguments.source, arguments.model, arguments.to, arguments.replace)
    text = f"Wrote {done.weights} and {counted(len(done.cards), 'card')} to {done.file}"
    return Answer(done.as_json(), lambda: text)


def _network(arguments: argparse.Namespace) -> Answer:
    done = export_network(arguments.source, arguments.model, arguments.what, arguments.to, arguments.replace)
    text = f"Wrote {done.model} as {done.form} to {done.to}"
    return Answer(done.as_json(), lambda: text)


EXPORT = Command("export", "Write a model's predictions to BigQuery, or a model to files.", _arguments, _execute)
