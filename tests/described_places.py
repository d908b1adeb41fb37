"""Places in the configuration of a test, which share a folder with this machine and have this very code."""

import os
import sys
from pathlib import Path

from kept_folders import ROOT


def write_places(folder: Path, **places: dict[str, str]) -> None:
    """Write `cxr.toml` with these tables of places, each a dictionary of TOML texts."""
    tables = (f"[places.{name}]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items()) for name, keys in places.items())
    (folder / "cxr.toml").write_text("\n".join(tables))


def describe_cluster(beside: Path, variables: dict[str, str] | None = None, **keys: str) -> None:
    """Describe the place `cluster` in the folder `beside`, where the folder `shared` is what it shares with this machine.

    `variables` are those of the work there beside ours.
    """
    shared = beside / "shared"
    shared.mkdir(exist_ok=True)
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    set_there = {"PYTHONPATH": path, "CXR_HEARTBEAT": "0.5"} | (variables or {})
    environment = "{ " + ", ".join(f'{name} = "{text}"' for name, text in set_there.items()) + " }"
    common = {"folder": f'"{shared}"', "python": f'"{sys.executable}"', "environment": environment}
    write_places(beside, cluster=common | keys)
