"""A dashboard that becomes one in a process that has loaded its modules already: to load them takes 2 of the 2.5 s of a start.

One process of this session (`multiprocessing`'s fork server) loads them; each dashboard is a copy of it, with the
variables, the folder and the network of the test that starts it.
"""

import ctypes
import multiprocessing
import os
import pkgutil
import sys
import threading
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import dashboard
from dashboard.serving import SCRIPTS, serve

_CLONE_NEWNET = 0x40000000
#: What else the server loads before it answers.
_OF_THE_SERVER = ("streamlit.web.cli", "streamlit.web.bootstrap", "streamlit.web.server.starlette", "uvicorn")


def start_warm(folder: Path, log: Path, environment: Mapping[str, str]) -> ForkServerProcess:
    """Start `python -m dashboard` in a folder, without the loading."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_modules())
    network = Path(f"/proc/{os.getpid()}/task/{threading.get_native_id()}/ns/net")
    process = context.Process(target=_be_dashboard, args=(folder, log, dict(environment), network))
    process.start()
    return process


def _modules() -> list[str]:
    found = pkgutil.walk_packages(dashboard.__path__, f"{dashboard.__name__}.")
    return [*(module.name for module in found if not module.name.endswith(SCRIPTS)), *_OF_THE_SERVER]


def _be_dashboard(folder: Path, log: Path, environment: dict[str, str], network: Path) -> None:
    _enter(network)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    written = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(written, stream.fileno())
    sys.argv = ["dashboard"]
    serve([])


def _enter(network: Path) -> None:
    """Be in the network of the thread that asked, where it has one of its own (`loopback.py`)."""
    if network.samefile("/proc/self/ns/net"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    with network.open() as entered:
        if libc.setns(entered.fileno(), _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "the network of the test cannot be entered")
