"""Policies that people wrote: a TOML or JSON file with numbers for each label."""

import json
from pathlib import Path
from typing import Any

from cxr_core.config_text import parsed_toml
from cxr_core.errors import UsageError
from cxr_core.schema import LABELS
from cxr_core.uncertainty import Policy, label_policy


def policy_from_file(path: Path) -> Policy:
    """Read a policy from a TOML or JSON file that maps each label to `{u, w}`, and `blank_u`, `blank_w` where it likes.

    Raises:
        UsageError: the file cannot be read, a label is missing or unknown, or a number is not in [0, 1].
    """
    entries = _file_entries(path)
    missing = [label for label in LABELS if label not in entries]
    unknown = [label for label in entries if label not in LABELS]
    if missing or unknown:
        wrong = f"lacks {', '.join(missing)}" if missing else f"has the unknown {', '.join(unknown)}"
        raise UsageError(f"The policy file {path} must give u and w for each of the 14 labels; it {wrong}.")
    try:
        rows = [[float(entries[label][letter]) for label in LABELS] for letter in ("u", "w")]
        rows += [
            [float(entries[label].get(name, usual)) for label in LABELS]
            for name, usual in (("blank_u", 0.0), ("blank_w", 1.0))
        ]
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise UsageError(f"Each label in {path} needs two numbers, as in {{u = 0.4, w = 0.75}}.") from error
    return label_policy(rows[0], rows[1], path.stem, rows[2], rows[3])


def _file_entries(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text()
        entries = json.loads(text) if path.suffix == ".json" else parsed_toml(text)
    except OSError as error:
        raise UsageError(f"The policy file {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise UsageError(f"The policy file {path} is neither TOML nor JSON: {error}.") from error
    if not isinstance(entries, dict):
        raise UsageError(f"The policy file {path} must map each label to u and w.")
    return entries
