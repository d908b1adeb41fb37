"""What was answered about a source that its definition leaves open; kept in its part of the workspace."""

from pathlib import Path

from cxr_core.atomic import write_text
from cxr_core.config_text import read_toml
from cxr_core.errors import SettingsError, UnknownNameError
from cxr_core.warehouse.null_labels import NULL_RULES

ANSWERS_FILE = "answers.toml"
_NULL_IS = "null_is"


def keep_null_rule(folder: Path, rule: str) -> None:
    """Keep what NULL labels of a source's tables are, one of `NULL_RULES`; `folder` is the source's own."""
    if rule not in NULL_RULES:
        raise UnknownNameError("rule for NULL", rule, tuple(NULL_RULES))
    write_text(folder / ANSWERS_FILE, f'{_NULL_IS} = "{rule}"\n')


def kept_null_rule(folder: Path) -> str | None:
    """Return what was answered, None where nobody was asked yet.

    Raises:
        SettingsError: the file with the answers cannot be understood.
    """
    file = folder / ANSWERS_FILE
    if not file.is_file():
        return None
    try:
        rule = read_toml(file).get(_NULL_IS)
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file} is no valid TOML: {error}. Correct or delete it.") from error
    if rule is not None and rule not in NULL_RULES:
        raise SettingsError(f"{file}: {_NULL_IS} must be {' or '.join(NULL_RULES)}. Correct or delete it.")
    return rule
