"""`import labels`, `predictions`, `images`, `readings` and `groups`: other people's files become part of a source."""

import argparse
from pathlib import Path

from cxr_core.commands.output import as_table
from cxr_core.commands.parsing import Answer, Command, Parser
from cxr_core.errors import UnknownNameError, UsageError
from cxr_core.schema import DATASETS, VIEWS
from cxr_core.sources.importing.choices import DEFAULT_MOST_SKIPPED, ImportChoices
from cxr_core.sources.importing.mapping import NOTHING_SAID, Mapping, read_mapping
from cxr_core.sources.importing.pictures import ASPECTS, DEFAULT_ASPECT
from cxr_core.tasks.import_groups import KEYS, ImportedGroups, import_groups
from cxr_core.tasks.import_labels import LAYOUTS, ImportedLabels, import_labels
from cxr_core.tasks.import_predictions import ImportedPredictions, import_predictions
from cxr_core.tasks.import_readings import DEFAULT_SET, ImportedReadings, import_readings
from cxr_core.tasks.memory_bound import end_with_line, import_memory

_LABELS, _PREDICTIONS, _IMAGES, _READINGS, _GROUPS = _WHAT = ("labels", "predictions", "images", "readings", "groups")
_TABLES = (_LABELS, _PREDICTIONS, _READINGS, _GROUPS)
#: The options that only one or two kinds of import know, with what stands there when they are not given.
_OWN_OPTIONS: dict[str, tuple[tuple[str, ...], object]] = {
    "layout": ((_LABELS, _READINGS), "auto"),
    "dataset": ((_LABELS, _IMAGES), None),
    "view": ((_LABELS, _IMAGES), None),
    "model": ((_PREDICTIONS,), None),
    "scale": ((_PREDICTIONS,), None),
    "set": ((_READINGS,), None),
    "reader": ((_READINGS,), None),
    "column": (_TABLES, []),
    "mapping": (_TABLES, None),
    "answer": (_TABLES, []),
    "skip_bad_rows": (_TABLES, False),
    "by": ((_GROUPS,), None),
    "aspect": ((_IMAGES,), DEFAULT_ASPECT),
    "most_skipped": ((_IMAGES,), DEFAULT_MOST_SKIPPED),
    "equalise": ((_IMAGES,), False),
}


def _arguments(parser: Parser) -> None:
    add = parser.add_argument
    add("what", metavar="WHAT", help=" or ".join(_WHAT))
    add("files", nargs="*", metavar="FILE", help="a table: text, Excel, Parquet, .npz; of images a folder or tar")
    add("--layout", default="auto", metavar="NAME", help=f"of labels: {', '.join(LAYOUTS)} (default %(default)s)")
    add(
        "--dataset",
        metavar="NAME",
        help=f"{', '.join(DATASETS)}: of labels whatever the file says; of images, only these",
    )
    add("--view", metavar="NAME", help=f"{', '.join(VIEWS)}: of labels where the file says none; of images only these")
    add("--model", metavar="NAME", help="of predictions: the model's name")
    add("--scale", metavar="NAME", help="of predictions: logit, probability or score")
    add("--set", metavar="NAME", help=f"of readings: the set that they belong to (default {DEFAULT_SET})")
    add("--reader", metavar="NAME", help="of readings: who read, where the file does not say (default its name)")
    add("--by", metavar="KEY", help=f"of groups: {', '.join(KEYS)}; by default the first that the file has")
    add("--column", action="append", default=[], metavar="OURS=THEIRS", help="which column is which, if unclear")
    add("--mapping", metavar="FILE", help="what else is to be said of the files, in TOML (docs/label-files.md)")
    add("--answer", action="append", default=[], metavar="KEY=VALUE", help="one key of a mapping, as in rows=majority")
    add("--aspect", default=DEFAULT_ASPECT, help=f"of images: {', '.join(ASPECTS)} (default %(default)s)")
    add(
        "--most-skipped",
        type=int,
        metavar="N",
        default=DEFAULT_MOST_SKIPPED,
        help="of images: how many bad ones to skip before giving up (default %(default)s)",
    )
    add("--equalise", action="store_true", help="of images: make the histogram of each flat; the records say so")
    add("--skip-bad-rows", action="store_true", help="leave out rows with a bad cell instead of refusing the file")
    add("--replace", action="store_true", help="replace what is there already")


def _execute(arguments: argparse.Namespace) -> Answer:
    if arguments.what not in _WHAT:
        raise UnknownNameError("kind of import", arguments.what, _WHAT)
    if not arguments.files:
        raise UsageError("A file to import is missing. See `python -m cxr_core import --help`.")
    _refuse_options(arguments)
    if arguments.what == _IMAGES:
        return _images(arguments)
    columns = dict(_pair(text, "--column", "patient=subject_id") for text in arguments.column)
    with import_memory(end_with_line):
        return _of_a_table(arguments, columns)


def _of_a_table(arguments: argparse.Namespace, columns: dict[str, str]) -> Answer:
    imports = {_LABELS: _labels, _PREDICTIONS: _predictions, _READINGS: _readings, _GROUPS: _groups}
    return imports[arguments.what](arguments, columns)


def _labels(arguments: argparse.Namespace, columns: dict[str, str]) -> Answer:
    mapping = _mapping(arguments)
    choices = ImportChoices(arguments.layout, arguments.dataset, arguments.view, arguments.skip_bad_rows, mapping)
    done = import_labels(
        arguments.source, [Path(file) for file in arguments.files], choices, arguments.replace, columns
    )
    return Answer(done.as_json(), lambda: _labels_text(done))


def _predictions(arguments: argparse.Namespace, columns: dict[str, str]) -> Answer:
    if arguments.model is None:
        raise UsageError("Predictions need a name: say whose they are with --model NAME.")
    done = import_predictions(
        arguments.source,
        Path(_one_file(arguments)),
        arguments.model,
        arguments.scale,
        arguments.replace,
        arguments.skip_bad_rows,
        columns,
        mapping=_mapping(arguments),
    )
    return Answer(done.as_json(), lambda: _predictions_text(done))


def _readings(arguments: argparse.Namespace, columns: dict[str, str]) -> Answer:
    done = import_readings(
        arguments.source,
        [Path(file) for file in arguments.files],
        arguments.set or DEFAULT_SET,
        arguments.reader,
        arguments.replace,
        arguments.skip_bad_rows,
        columns,
        mapping=_mapping(arguments),
    )
    return Answer(done.as_json(), lambda: _readings_text(done))


def _groups(arguments: argparse.Namespace, columns: dict[str, str]) -> Answer:
    done = import_groups(
        arguments.source,
        Path(_one_file(arguments)),
        arguments.by,
        arguments.replace,
        arguments.skip_bad_rows,
        columns,
        mapping=_mapping(arguments),
    )
    return Answer(done.as_json(), lambda: _groups_text(done))


def _mapping(arguments: argparse.Namespace) -> Mapping:
    said = read_mapping(Path(arguments.mapping)) if arguments.mapping else NOTHING_SAID
    return said.answered(dict(_pair(text, "--answer", "rows=majority") for text in arguments.answer))


def _images(arguments: argparse.Namespace) -> Answer:
    # Here, because the store of runs and what reads images take as long as a small table.
    from cxr_core.commands.runs import awaited
    from cxr_core.tasks.import_images import start_image_import

    run = start_image_import(
        arguments.source,
        _one_file(arguments),
        arguments.view,
        arguments.dataset,
        arguments.aspect,
        arguments.most_skipped,
        arguments.replace,
        confined=False,
        equalise=arguments.equalise,
    )
    return awaited(run, lambda ended: ended.result)


def _one_file(arguments: argparse.Namespace) -> str:
    if len(arguments.files) != 1:
        raise UsageError(
            f"{arguments.what.capitalize()} are imported from one place. Received: {len(arguments.files)}."
        )
    return str(arguments.files[0])


def _refuse_options(arguments: argparse.Namespace) -> None:
    for name, (kinds, default) in _OWN_OPTIONS.items():
        if arguments.what not in kinds and getattr(arguments, name) != default:
            option = name.replace("_", "-")
            raise UsageError(f"--{option} is not an option of `import {arguments.what}`. Leave it out.")


def _pair(text: str, option: str, example: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        shape = "OURS=THEIRS" if option == "--column" else "KEY=VALUE"
        raise UsageError(f"{option} must be written {shape}, as in {example}. Received: {text[:80]!r}.")
    return name, value


def _labels_text(done: ImportedLabels) -> str:
    counts = as_table(("read", "written", "refused"), [(done.read, done.written, done.refused)])
    return "\n".join(
        [f"Labels of the source {done.source}, in {done.table} (layout {done.layout})", counts, *done.notes]
    )


def _predictions_text(done: ImportedPredictions) -> str:
    names = ("read", "written", "refused", "unmatched", "duplicated")
    counts = as_table(names, [[getattr(done, name) for name in names]])
    return "\n".join([f"Predictions of {done.model} ({done.scale}), in {done.table}", counts, *done.notes])


def _readings_text(done: ImportedReadings) -> str:
    names = ("read", "written", "refused", "unmatched")
    counts = as_table(names, [[getattr(done, name) for name in names]])
    head = f"Readings by {', '.join(done.readers)}, in the set {done.set} ({done.table})"
    return "\n".join([head, counts, *done.notes])


def _groups_text(done: ImportedGroups) -> str:
    names = ("read", "refused", "matched", "unmatched", "images")
    counts = as_table(names, [[getattr(done, name) for name in names]])
    head = f"Groups by {', '.join(done.columns)} of each {done.by}, in {done.table}"
    return "\n".join([head, counts, *done.notes])


IMPORT = Command("import", "Bring in labels, predictions, images, readings or groups.", _arguments, _execute)
