"""`import labels` and `import predictions`: other people's files become tables of a source."""

import argparse
from pathlib import Path

from cxr_core.commands.output import as_table
from cxr_core.commands.parsing import Answer, Command, Parser
from cxr_core.errors import UnknownNameError, UsageError
from cxr_core.schema import DATASETS, VIEWS
from cxr_core.tasks.import_labels import LAYOUTS, ImportChoices, ImportedLabels, import_labels
from cxr_core.tasks.import_predictions import ImportedPredictions, import_predictions

_LABELS, _PREDICTIONS = "labels", "predictions"
_WHAT = (_LABELS, _PREDICTIONS)


def _arguments(parser: Parser) -> None:
    add = parser.add_argument
    add("what", metavar="WHAT", help=" or ".join(_WHAT))
    add("files", nargs="*", metavar="FILE", help="CSV (also .gz), Parquet, for predictions also NumPy .npz")
    add("--layout", default="auto", metavar="NAME", help=f"of labels: {', '.join(LAYOUTS)} (default %(default)s)")
    add("--dataset", metavar="NAME", help=f"of labels: {', '.join(DATASETS)}, whatever the file says")
    add("--view", metavar="NAME", help=f"of labels: {', '.join(VIEWS)}, where the file says none")
    add("--model", metavar="NAME", help="of predictions: the model's name")
    add("--scale", metavar="NAME", help="of predictions: logit, probability or score")
    add("--column", action="append", default=[], metavar="OURS=THEIRS", help="which column is which, if unclear")
    add("--skip-bad-rows", action="store_true", help="leave out rows with a bad cell instead of refusing the file")
    add("--replace", action="store_true", help="replace what is there already")


def _execute(arguments: argparse.Namespace) -> Answer:
    if arguments.what not in _WHAT:
        raise UnknownNameError("kind of import", arguments.what, _WHAT)
    if not arguments.files:
        raise UsageError("A file to import is missing. See `python -m cxr_core import --help`.")
    columns = dict(_pair(text) for text in arguments.column)
    return _labels(arguments, columns) if arguments.what == _LABELS else _predictions(arguments, columns)


def _labels(arguments: argparse.Namespace, columns: dict[str, str]) -> Answer:
    _refuse_options(arguments, _LABELS, ("model", "scale"))
    choices = ImportChoices(arguments.layout, arguments.dataset, arguments.view, arguments.skip_bad_rows)
    done = import_labels(
        arguments.source, [Path(file) for file in arguments.files], choices, arguments.replace, columns
    )
    return Answer(done.as_json(), lambda: _labels_text(done))


def _predictions(arguments: argparse.Namespace, columns: dict[str, str]) -> Answer:
    _refuse_options(arguments, _PREDICTIONS, ("dataset", "view"))
    if arguments.model is None:
        raise UsageError("Predictions need a name: say whose they are with --model NAME.")
    if len(arguments.files) > 1:
        raise UsageError(f"Predictions are imported from one file. Received: {len(arguments.files)} files.")
    done = import_predictions(
        arguments.source,
        Path(arguments.files[0]),
        arguments.model,
        arguments.scale,
        arguments.replace,
        arguments.skip_bad_rows,
        columns,
    )
    return Answer(done.as_json(), lambda: _predictions_text(done))


def _refuse_options(arguments: argparse.Namespace, what: str, names: tuple[str, ...]) -> None:
    for name in names:
        if getattr(arguments, name) is not None:
            raise UsageError(f"--{name} is not an option of `import {what}`. Leave it out.")


def _pair(text: str) -> tuple[str, str]:
    ours, sign, theirs = text.partition("=")
    if not sign:
        raise UsageError(f"--column must be written OURS=THEIRS, as in patient=subject_id. Received: {text[:80]!r}.")
    return ours, theirs


def _labels_text(done: ImportedLabels) -> str:
    counts = as_table(("read", "written", "refused"), [(done.read, done.written, done.refused)])
    return "\n".join(
        [f"Labels of the source {done.source}, in {done.table} (layout {done.layout})", counts, *done.notes]
    )


def _predictions_text(done: ImportedPredictions) -> str:
    names = ("read", "written", "refused", "unmatched", "duplicated")
    counts = as_table(names, [[getattr(done, name) for name in names]])
    return "\n".join([f"Predictions of {done.model} ({done.scale}), in {done.table}", counts, *done.notes])


IMPORT = Command("import", "Bring in labels or predictions of other makers.", _arguments, _execute)
