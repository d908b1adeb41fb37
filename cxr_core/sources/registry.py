"""Which sources there are: the demo, those in the workspace, and those that the user wrote in `cxr.toml`."""

from pathlib import Path

from cxr_core.errors import CxrError, SettingsError, UnknownNameError, UsageError
from cxr_core.locations import is_remote
from cxr_core.records.layout import find_records
from cxr_core.schema import DATASETS, NAME_PATTERN, TRAINING_VIEWS, check_name
from cxr_core.settings import config_path, configured_sources, settings, who_may_see
from cxr_core.sight import OTHERS, check_own, sight
from cxr_core.sources.definition import Definition, read_source_toml, source_of
from cxr_core.sources.source import Source
from cxr_core.warehouse.tables import files_by_model

DEMO = "demo"
SOURCE_FILE = "source.toml"

#: What stands for the demo until it is built: nothing but its folder.
_UNBUILT = {"kind": "local", "synthetic": True}
_NOT_BUILT = "The demo is not built yet: run `python -m cxr_core demo`."


def source_folder(name: str) -> Path:
    """Return the folder of the workspace in which a source's files are written.

    Raises:
        UsageError: the name is not legal, or whoever acts may not see a source of that name.
    """
    check_own(check_name("source", name))
    return settings().home / "sources" / name


def source_names() -> list[str]:
    """Return the names of the sources that whoever acts may see: the demo first, the others sorted.

    Those whose definition is wrong are among them.
    """
    return [*filter(sight(), all_source_names())]


def all_source_names() -> list[str]:
    """Return the names of all sources, whoever may see them."""
    return [DEMO, *sorted({*configured_sources(), *_in_workspace()} - {DEMO})]


def get_source(name: str) -> Source:
    """Return a source; what `cxr.toml` says goes before the workspace's own `source.toml`.

    Raises:
        UnknownNameError: there is no source of that name that whoever acts may see.
        SettingsError: its definition or its name is wrong.
    """
    names = source_names()
    if name not in names:
        raise UnknownNameError("source", name, names)
    return source_for_all(name)


def source_for_all(name: str) -> Source:
    """Return a source of `all_source_names`, whoever may see it: for what has to know of it and shows nothing."""
    folder = settings().home / "sources" / name
    definition = _configured(name)
    if definition is not None:
        return source_of(name, definition, folder)
    file = folder / SOURCE_FILE
    definition = read_source_toml(file) if file.is_file() else Definition(_UNBUILT, file)
    return source_of(name, definition, folder)


def ready_source(name: str) -> Source:
    """Return a source whose tables can be asked; raises as `get_source`, and `UsageError` when it is not built yet."""
    source = get_source(name)
    if not is_built(source):
        raise UsageError(_NOT_BUILT)
    return source


def source_with_labels(name: str, what: str) -> Source:
    """Return a source to which `what` (such as predictions) can be imported; raises as `ready_source`.

    A source that does not exist is refused with the order of the steps.
    """
    try:
        return ready_source(name)
    except UnknownNameError as error:
        raise UsageError(
            f"{str(error).split('.')[0]}. A source begins with its labels: `import labels FILE --source {name[:60]}`, "
            f"then its {what}. There are: {', '.join(source_names()[:30])}."
        ) from None


def is_built(source: Source) -> bool:
    """Say whether the demo has been built; other sources are never built."""
    return source.name != DEMO or (source.folder / SOURCE_FILE).is_file()


def sight_of_nothing() -> str:
    """Return a sentence on the names that `[who_may_see]` has of no source, which may be misspelt; "" without such."""
    lacking = sorted(set(who_may_see()) - {OTHERS, *all_source_names()})
    return f"{config_path()}: [who_may_see] names {', '.join(lacking)}, and there is no such source." if lacking else ""


def problems(source: Source) -> list[str]:
    """Return what is missing or wrong and how to fix it, one sentence each; for BigQuery this asks the service."""
    reserved = [_reserved()] if source.name == DEMO and DEMO in configured_sources() else []
    if not is_built(source):
        return [*reserved, _NOT_BUILT]
    found = (_label_problems, _prediction_problems, _model_problems, _record_problems)
    return [*reserved, *dict.fromkeys(problem for look in found for problem in look(source))]


def record_files(source: Source) -> dict[str, dict[str, int]]:
    """Return the number of TFRecord files per data set and view, for those that have some."""
    counted = {dataset: {view: _count(source, dataset, view) for view in TRAINING_VIEWS} for dataset in DATASETS}
    return {name: found for name, views in counted.items() if (found := {v: n for v, n in views.items() if n})}


def _label_problems(source: Source) -> list[str]:
    try:
        if source.tables.labels:
            return source.warehouse().check()
    except CxrError as error:
        return [str(error)]
    return [f"No label table was found ({', '.join(source.labels) or 'none is named'}). Import or name one."]


def _prediction_problems(source: Source) -> list[str]:
    try:
        if source.warehouse().prediction_tables():
            return []
    except CxrError as error:
        return [str(error)]
    return [f"No prediction table matches {' or '.join(source.predictions)}. Import predictions, or train and predict."]


def _model_problems(source: Source) -> list[str]:
    """Return why models on gs:// cannot be listed; that a source has none is no problem."""
    try:
        for pattern in filter(is_remote, source.models):
            files_by_model(pattern)
    except CxrError as error:
        return [str(error)]
    return []


def _record_problems(source: Source) -> list[str]:
    if record_files(source):
        return []
    try:
        find_records(source.records, DATASETS[0], TRAINING_VIEWS[0])
    except CxrError as error:
        return [str(error)]
    return []


def _count(source: Source, dataset: str, view: str) -> int:
    try:
        return len(find_records(source.records, dataset, view))
    except CxrError:
        # `problems` says why.
        return 0


def _configured(name: str) -> Definition | None:
    """Return what `cxr.toml` says of a source, None when it says nothing; the demo cannot be configured."""
    sources = configured_sources()
    if name not in sources or name == DEMO:
        return None
    try:
        check_name("source", name)
    except UsageError as error:
        raise SettingsError(f"{config_path()}: [sources.{name}]: {error}") from error
    return Definition(sources[name], config_path())


def _reserved() -> str:
    return f"{config_path()}: [sources.{DEMO}] is left out, the name is reserved for the built-in source. Rename yours."


def _in_workspace() -> list[str]:
    found = (file.parent.name for file in (settings().home / "sources").glob(f"*/{SOURCE_FILE}"))
    return [name for name in found if NAME_PATTERN.fullmatch(name)]
