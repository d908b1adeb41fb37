"""Reading a source from its table in `cxr.toml`, or from its own `source.toml`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from cxr_core.config_text import home_path, read_toml
from cxr_core.errors import SettingsError, UsageError, brief
from cxr_core.locations import check_location, is_remote
from cxr_core.schema import PREDICTIONS_SUFFIX
from cxr_core.sources.kept_answers import kept_null_rule
from cxr_core.sources.source import Source, own_labels, own_models, own_predictions, own_readings, own_records
from cxr_core.warehouse.null_labels import NULL_RULES
from cxr_core.warehouse.tables import (
    KINDS,
    MODEL_FIELD,
    check_dataset,
    check_pattern,
    check_project,
    check_region,
    check_tables,
    is_file,
)

#: What stands for the name of a set in a pattern of readings.
SET_FIELD = "{set}"
KEYS: tuple[str, ...] = (
    "kind",
    "project",
    "labels",
    "predictions",
    "models",
    "records",
    "maximum_bytes_billed",
    "credentials",
    "location",
    "write",
    "synthetic",
    "truth",
    "readings",
    "null_is",
)


class Definition(NamedTuple):
    """A source's keys as written, and the file that they stand in; relative paths start at its folder."""

    keys: dict[str, Any]
    file: Path

    def error(self, key: str, rule: str) -> SettingsError:
        """Return what to raise when the value of `key` breaks `rule`."""
        return SettingsError(f"{self.file}: {key} {rule}. Received: {brief(self.keys.get(key))}.")

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the value of a key that is a text or a list of texts; () when it is missing."""
        value = self.keys.get(key, [])
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not all(isinstance(text, str) and text for text in texts):
            raise self.error(key, "must be a text or a list of texts")
        return tuple(texts)

    def text(self, key: str) -> str | None:
        """Return the value of a key that is one text; None when it is missing."""
        texts = self.texts(key)
        if len(texts) > 1:
            raise self.error(key, "must be one text")
        return texts[0] if texts else None

    def location(self, text: str) -> str:
        """Return a local path as an absolute one (`~` is the home folder); a gs:// location stays as it is."""
        try:
            check_location(text)
            return text if is_remote(text) else str(self.file.parent / home_path(text))
        except UsageError as error:
            raise SettingsError(f"{self.file}: {error}") from error


def read_source_toml(file: Path) -> Definition:
    """Read a source's own `source.toml`; `SettingsError` when it is no valid TOML."""
    try:
        return Definition(read_toml(file), file)
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file} is no valid TOML: {error}. Correct the file.") from error


def source_of(name: str, definition: Definition, folder: Path) -> Source:
    """Return the source that a definition describes.

    Args:
        name: of the source.
        definition: its keys; every key but `kind` is optional.
        folder: the source's part of the workspace, where the product writes.

    Raises:
        SettingsError: a key is unknown, or its value is wrong; the message names file and key.
    """
    keys = definition.keys
    if unknown := set(keys) - set(KEYS):
        raise SettingsError(
            f"{definition.file}: unknown key {min(unknown)!r} in source {name!r}. Use: {', '.join(KEYS)}."
        )
    kind = keys.get("kind")
    if kind not in KINDS:
        raise definition.error("kind", f"of source {name!r} must be one of {', '.join(KINDS)}")
    truth = definition.text("truth")
    records = definition.text("records")
    models = tuple(_file_pattern(definition, "models", text) for text in definition.texts("models"))
    return Source(
        name=name,
        kind=kind,
        folder=folder,
        labels=_labels(definition, folder),
        predictions=_with(_predictions(definition), own_predictions(folder)),
        models=_with(models, own_models(folder)),
        records=definition.location(records) if records else own_records(folder),
        truth=Path(_parquet(definition, "truth", truth)) if truth else None,
        project=_checked(definition, "project", check_project, definition.text("project")),
        maximum_bytes_billed=_limit(definition),
        credentials=_key_file(definition),
        location=_checked(definition, "location", check_region, definition.text("location")),
        write=_checked(definition, "write", check_dataset, definition.text("write")),
        synthetic=_synthetic(definition),
        readings=_with(_readings(definition), own_readings(folder)),
        null_is=_null_rule(definition, folder),
    )


def _labels(definition: Definition, folder: Path) -> tuple[str, ...]:
    texts = definition.texts("labels")
    if definition.keys["kind"] == "bigquery":
        return tuple(_checked(definition, "labels", check_tables, text) or "" for text in texts)
    return tuple(_parquet(definition, "labels", text) for text in texts) or (own_labels(folder),)


def _predictions(definition: Definition) -> tuple[str, ...]:
    texts = definition.texts("predictions")
    if definition.keys["kind"] == "bigquery" and not texts:
        # Not said: whatever is called …_predictions in the data sets of the labels.
        datasets = dict.fromkeys(table.rpartition(".")[0] for table in definition.texts("labels"))
        return tuple(f"{dataset}.{MODEL_FIELD}{PREDICTIONS_SUFFIX}" for dataset in datasets)
    return tuple(_prediction_pattern(definition, text) for text in texts)


def _prediction_pattern(definition: Definition, text: str) -> str:
    """Return a pattern of BigQuery tables, or (for either kind of source) of Parquet files."""
    if definition.keys["kind"] == "bigquery" and not is_file(text):
        return _checked(definition, "predictions", check_pattern, text) or ""
    _file_pattern(definition, "predictions", text)
    return _parquet(definition, "predictions", text)


def _readings(definition: Definition) -> tuple[str, ...]:
    """Return the patterns of readings, the set's name where a model's stands elsewhere."""
    found = []
    for text in definition.texts("readings"):
        if text.count(SET_FIELD) != 1 or MODEL_FIELD in text:
            raise definition.error("readings", "must have {set} once, where the name of the set stands")
        named = text.replace(SET_FIELD, MODEL_FIELD)
        if definition.keys["kind"] == "bigquery" and not is_file(named):
            found.append(_checked(definition, "readings", check_pattern, named) or "")
        else:
            _file_pattern(definition, "readings", named)
            found.append(_parquet(definition, "readings", named))
    return tuple(found)


def _parquet(definition: Definition, key: str, text: str) -> str:
    if not is_file(text):
        raise definition.error(key, "must name Parquet files that end with .parquet")
    return definition.location(text)


def _file_pattern(definition: Definition, key: str, text: str) -> str:
    if text.count(MODEL_FIELD) != 1 or MODEL_FIELD not in text.rpartition("/")[2]:
        raise definition.error(key, "must have {model} once, in the file's name")
    return definition.location(text)


def _checked(definition: Definition, key: str, check: Callable[[str], str], text: str | None) -> str | None:
    try:
        return None if text is None else check(text)
    except UsageError as error:
        raise SettingsError(f"{definition.file}: {key}: {error}") from error


def _key_file(definition: Definition) -> str | None:
    text = definition.text("credentials")
    if text is not None and "://" in text:
        raise definition.error("credentials", "must be the path of a file with credentials")
    return definition.location(text) if text else None


def _limit(definition: Definition) -> int | None:
    limit = definition.keys.get("maximum_bytes_billed")
    if limit is not None and (type(limit) is not int or not 0 < limit < 2**63):
        raise definition.error("maximum_bytes_billed", "must be a whole number of bytes above 0 (and below 2**63)")
    return limit


def _null_rule(definition: Definition, folder: Path) -> str | None:
    """Return what NULL labels are as the definition says, else as it was answered."""
    rule = definition.text("null_is")
    if rule is not None and rule not in NULL_RULES:
        raise definition.error("null_is", f"must be {' or '.join(NULL_RULES)}")
    return rule or kept_null_rule(folder)


def _synthetic(definition: Definition) -> bool:
    synthetic = definition.keys.get("synthetic", False)
    if not isinstance(synthetic, bool):
        raise definition.error("synthetic", "must be true or false")
    return synthetic


def _with(patterns: tuple[str, ...], own: str) -> tuple[str, ...]:
    """Return the patterns, the product's own last and once."""
    return (*(pattern for pattern in patterns if pattern != own), own)
