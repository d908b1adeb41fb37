"""Where figures come from: the rows that were judged, the software, and the command that gives the same figures."""

import hashlib
import platform
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
import pandas as pd

from cxr_core.setting_rows import SETTINGS
from cxr_core.settings import settings
from cxr_core.tasks.evaluate import joined_predictions

#: What the figures are computed with, as it is called in the package index.
PACKAGES = ("cxr-lab", "numpy", "scipy", "scikit-learn", "pandas", "pyarrow", "duckdb")
#: The settings that figures depend on.
_SETTINGS = ("intervals", "resamples", "minimum_positives")
_DIGITS = 16


@dataclass(frozen=True)
class Provenance:
    """Digests of the judged rows by model, versions by software, and the commands that give the figures again."""

    data: dict[str, str]
    software: dict[str, str]
    commands: tuple[str, ...]


def provenance(
    source: str, models: Sequence[str], dataset: str, view: str | None, commands: Sequence[Sequence[str]]
) -> Provenance:
    """Return where the figures of models come from.

    Args:
        source: the source.
        models: the models that were judged.
        dataset: train, valid or test.
        view: only images of this view.
        commands: arguments of `python -m cxr_core` that give the figures, without source, data set and view.

    Raises:
        CxrError: whatever `joined_predictions` finds.
    """
    data = {model: rows_digest(joined_predictions(source, model, dataset, view).frame) for model in models}
    places = ["--source", source, "--dataset", dataset, *(["--view", view] if view else []), "--json"]
    return Provenance(data, software(), tuple(command_line([*command, *places]) for command in commands))


def rows_digest(frame: pd.DataFrame) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of judged rows, whatever their order.

    Over the paths in their order, and then for each `true_` and `predicted_` column, by name, its values in that order
    as 64-bit floats.
    """
    rows = frame.sort_values("path", kind="stable")
    found = hashlib.sha256("\n".join(rows["path"]).encode())
    for name in sorted(name for name in rows.columns if name.startswith(("true_", "predicted_"))):
        found.update(name.encode())
        found.update(np.ascontiguousarray(rows[name].to_numpy(dtype="<f8")).tobytes())
    return found.hexdigest()[:_DIGITS]


def software() -> dict[str, str]:
    """Return the versions of Python and of `PACKAGES`."""
    return {"Python": platform.python_version()} | {package: version(package) for package in PACKAGES}


def command_line(arguments: Sequence[str]) -> str:
    """Return the command of these arguments, with the settings that figures depend on where they are not the usual."""
    usual, chosen = {setting.name: setting.default for setting in SETTINGS}, settings()
    unusual = {name: getattr(chosen, name) for name in _SETTINGS if getattr(chosen, name) != usual[name]}
    before = "".join(f"CXR_{name.upper()}={value} " for name, value in unusual.items())
    return f"{before}{shlex.join(['python', '-m', 'cxr_core', *arguments])}"
