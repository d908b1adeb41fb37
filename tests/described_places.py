"""Places in the configuration of a test, which share a folder with this machine and have this very code."""

import os
import sys
from pathlib import Path

from kept_folders import ROOT


def write_places(folder: Path, **places: dict[str, str]) -> None:
    """Write `cxr.toml` with these tables of places, each a dictionary of TOML texts."""
    tables = (f"[places.{name}]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items()) for name, keys in places.items())
    (folder / "cxr.toml").write_text("\n".join(tables))


def describe_cluster(folder: Path, **keys: str) -> None:
    """Describe the place `cluster` in `folder`, beside which the folder `shared` is what it shares with this machine."""
    shared = folder / "shared"
    shared.mkdir(exist_ok=True)
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    environment = f'{{ PYTHONPATH = "{path}", CXR_HEARTBEAT = "0.5" }}'
    common = {"folder": f'"{shared}"', "python": f'"{sys.executable}"', "environment": environment}
    write_places(folder, cluster=common | keys)
