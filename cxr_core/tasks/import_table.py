"""An import of labels, predictions, readings or groups as a run: in a process of its own, with its memory bounded.

The dashboard starts imports this way, so that no file that somebody chooses is ever read into its own process. A file
that can be read in two ways ends the run with the question, and `answer_import` starts it again with an answer.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cxr_core.caller import ADMIN, require
from cxr_core.errors import Choice, UndecidedError, UnknownNameError, UsageError
from cxr_core.runs import service
from cxr_core.runs.new_run import new_run_id
from cxr_core.runs.run import Run
from cxr_core.runs.step import EXIT_FAILED, REASON_FILE, StepContext
from cxr_core.schema import SCALES, check_name
from cxr_core.sources.importing.choices import ImportChoices
from cxr_core.sources.importing.mapping import NOTHING_SAID, Mapping, from_dict, read_mapping
from cxr_core.sources.registry import ready_source
from cxr_core.tasks import uploads
from cxr_core.tasks.import_groups import check_key, import_groups
from cxr_core.tasks.import_labels import Tell, import_labels, importable_folder
from cxr_core.tasks.import_predictions import import_predictions
from cxr_core.tasks.import_readings import DEFAULT_SET, import_readings
from cxr_core.tasks.memory_bound import import_memory

KIND = "import"
_STEPS = 100
_WORDS = "the import"


@dataclass(frozen=True)
class OpenQuestion:
    """What an import could not know, and what can be answered."""

    question: str
    choices: tuple[Choice, ...]


def start_labels_import(
    source: str, files: Sequence[uploads.File], choices: ImportChoices, replace: bool = False
) -> Run:
    """Start an import of label files and return its run; its `result` is what `import labels --json` prints.

    Raises:
        UsageError: there is no file, or the source's tables are not the product's to write.
        UnknownNameError: a layout, data set or view does not exist.
    """
    importable_folder(source)
    choices.checked()
    said = {"layout": choices.layout, "dataset": choices.dataset, "view": choices.view}
    return _start(source, files, _config("labels", source, choices.skip_bad_rows, replace, choices.mapping) | said)


def start_predictions_import(
    source: str,
    files: Sequence[uploads.File],
    model: str,
    scale: str | None = None,
    replace: bool = False,
    skip_bad_rows: bool = False,
    mapping: Mapping = NOTHING_SAID,
) -> Run:
    """Start an import of a file of predictions; its `result` is what `import predictions --json` prints.

    Raises:
        UsageError: there is not one file, the source is not ready, or the model's name is not legal.
        UnknownNameError: there is no such source or scale.
    """
    ready_source(source)
    check_name("model", model)
    if scale is not None and scale not in SCALES:
        raise UnknownNameError("scale", scale, SCALES)
    files = _one("Predictions are", files)
    return _start(source, files, _config("predictions", model, skip_bad_rows, replace, mapping) | {"scale": scale})


def start_readings_import(
    source: str,
    files: Sequence[uploads.File],
    set_name: str = DEFAULT_SET,
    reader: str | None = None,
    replace: bool = False,
    skip_bad_rows: bool = False,
    mapping: Mapping = NOTHING_SAID,
) -> Run:
    """Start an import of files of readings; its `result` is what `import readings --json` prints.

    Raises:
        UsageError: there is no file, the source is not ready, or the set's name is not legal.
        UnknownNameError: there is no such source.
    """
    ready_source(source).readings_path(set_name)
    return _start(source, files, _config("readings", set_name, skip_bad_rows, replace, mapping) | {"reader": reader})


def start_groups_import(
    source: str,
    files: Sequence[uploads.File],
    by: str | None = None,
    replace: bool = False,
    skip_bad_rows: bool = False,
    mapping: Mapping = NOTHING_SAID,
) -> Run:
    """Start an import of groups, its `result` as `import groups --json`; raises `UsageError` unless it is one file."""
    ready_source(source)
    check_key(by)
    config = {"by": by} | _config("groups", source, skip_bad_rows, replace, mapping)
    return _start(source, _one("Groups are", files), config)


def open_question(run: Run) -> OpenQuestion | None:
    """Return what an import that has ended asks; None when it asks nothing."""
    asked = (run.result or {}).get("choices") if run.kind == KIND else None
    if not asked or run.result is None:
        return None
    return OpenQuestion(run.result["question"], tuple(Choice(**choice) for choice in asked))


def answer_import(run_id: str, answer: int) -> Run:
    """Start an import again with an answer to its question, a place in its choices, and return the new run.

    Raises:
        UsageError: the run asks nothing, or its uploaded files are gone.
    """
    require(ADMIN, "import")
    run = service.get(run_id)
    asked = open_question(run)
    if asked is None or not 0 <= answer < len(asked.choices):
        raise UsageError(f"The run {run_id} has no such question.")
    config = _answered(run.config, asked.choices[answer].keys)
    new = new_run_id()
    files = uploads.hand_over([Path(file) for file in run.config["files"]], run_id, new)
    return _submit(run.source, new, config | {"files": [str(file) for file in files]})


def work(context: StepContext) -> None:
    """Import in the process of the run; uploaded files go with it, unless it ends with a question."""
    asks = False
    try:
        with import_memory(lambda reason: _end(context, reason)):
            result = _IMPORTS[context.config["what"]](context, _telling(context))
        context.result({"what": context.config["what"]} | result)
    except UndecidedError as question:
        asks = True
        choices = [asdict(choice) for choice in question.choices]
        context.result({"what": context.config["what"], "question": question.question, "choices": choices})
        raise
    finally:
        if not asks:
            uploads.remove(context.run)


def _labels(context: StepContext, tell: Tell) -> dict[str, Any]:
    config = context.config
    choices = ImportChoices(config["layout"], config["dataset"], config["view"], config["skip"], _mapping(config))
    return import_labels(context.source, _files(config), choices, config["replace"], tell=tell).as_json()


def _predictions(context: StepContext, tell: Tell) -> dict[str, Any]:
    config = context.config
    options = (config["name"], config["scale"], config["replace"], config["skip"])
    (file,) = _files(config)
    return import_predictions(context.source, file, *options, tell=tell, mapping=_mapping(config)).as_json()


def _readings(context: StepContext, tell: Tell) -> dict[str, Any]:
    config = context.config
    options = (config["name"], config["reader"], config["replace"], config["skip"])
    return import_readings(context.source, _files(config), *options, tell=tell, mapping=_mapping(config)).as_json()


def _groups(context: StepContext, tell: Tell) -> dict[str, Any]:
    config = context.config
    (file,) = _files(config)
    options = (config["by"], config["replace"], config["skip"])
    return import_groups(context.source, file, *options, tell=tell, mapping=_mapping(config)).as_json()


_IMPORTS: dict[str, Callable[[StepContext, Tell], dict[str, Any]]] = {
    "labels": _labels,
    "predictions": _predictions,
    "readings": _readings,
    "groups": _groups,
}


def _config(what: str, name: str, skip: bool, replace: bool, mapping: Mapping) -> dict[str, Any]:
    return {"what": what, "name": name, "skip": skip, "replace": replace, "mapping": mapping.as_dict()}


def _one(what: str, files: Sequence[uploads.File]) -> Sequence[uploads.File]:
    if len(files) > 1:
        raise UsageError(f"{what} imported from one file. Received: {len(files)}.")
    return files


def _start(source: str, files: Sequence[uploads.File], config: dict[str, Any]) -> Run:
    require(ADMIN, f"import {config['what']}")
    if not files:
        raise UsageError(f"A file of {config['what']} to import is missing.")
    from_dict(config["mapping"], _WORDS)
    uploads.sweep({run.run for run in service.list_runs(kind=KIND) if run.is_active})
    run_id = new_run_id()
    paths = uploads.placed(files, uploads.folder_of(run_id))
    return _submit(source, run_id, config | {"files": [str(path) for path in paths]})


def _submit(source: str, run_id: str, config: dict[str, Any]) -> Run:
    try:
        return service.submit(KIND, f"{config['what']} of {config['name']}", source, config, run_id=run_id)
    except BaseException:
        uploads.remove(run_id)
        raise


def _answered(config: dict[str, Any], keys: dict[str, str]) -> dict[str, Any]:
    """Return a configuration with an answer: a mapping that was kept, a scale, or keys of a mapping."""
    further = {key: value for key, value in keys.items() if key not in ("mapping", "scale")}
    said = config["mapping"] | (read_mapping(Path(keys["mapping"])).as_dict() if "mapping" in keys else {})
    scale = {"scale": keys["scale"]} if "scale" in keys else {}
    return config | scale | {"mapping": from_dict(said, _WORDS).answered(further).as_dict()}


def _telling(context: StepContext) -> Tell:
    def tell(share: float, what: str) -> None:
        if share < 1:  # what is written already stays
            context.stop_if_cancelled()
        context.progress(round(_STEPS * share), _STEPS, message=what)

    return tell


def _mapping(config: dict[str, Any]) -> Mapping:
    return from_dict(config["mapping"], _WORDS)


def _files(config: dict[str, Any]) -> list[Path]:
    return [Path(file) for file in config["files"]]


def _end(context: StepContext, reason: str) -> None:
    """End the process as a failed step ends: the reason is left for the supervisor."""
    uploads.remove(context.run)
    (context.folder / REASON_FILE).write_text(reason)
    os._exit(EXIT_FAILED)
